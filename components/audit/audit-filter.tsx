import Link from "next/link";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, Select } from "@/components/ui/input";
import { AUDITED_KINDS } from "@/lib/audit/kinds";
import { type AuditFilter as Filter } from "@/lib/audit/queries";
import { KINDS } from "./words";

type Actors = { id: string; name: string }[];

/** A plain GET form: what is shown is an address, to be kept and shared. */
export function AuditFilter({ filter, people, buyers, path }: { filter: Pick<Filter, "who" | "kind" | "object" | "from" | "to">; people: Actors; buyers: Actors; path: string }) {
  const isFiltered = Object.values(filter).some(Boolean);
  return (
    // Made anew with each address, so that "Show everything" empties it.
    <form key={JSON.stringify(filter)} method="get" action={path} role="search" aria-label="Audit log" className="flex flex-wrap items-end gap-3 border-b border-line p-4">
      <Field label="Who" name="who" className="min-w-0 basis-52">
        {(control) => (
          <Select {...control} defaultValue={filter.who}>
            <option value="">Everybody</option>
            <option value="system">Greenlight by itself</option>
            <optgroup label="People">{people.map(({ id, name }) => <option key={id} value={`person:${id}`}>{name}</option>)}</optgroup>
            <optgroup label="Buyers">{buyers.map(({ id, name }) => <option key={id} value={`buyer:${id}`}>{name}</option>)}</optgroup>
          </Select>
        )}
      </Field>
      <Field label="About" name="kind" className="min-w-0 basis-44">
        {(control) => <Select {...control} defaultValue={filter.kind ?? ""}><option value="">Everything</option>{AUDITED_KINDS.map((kind) => <option key={kind} value={kind}>{KINDS[kind]}</option>)}</Select>}
      </Field>
      <Field label="Id of one thing" name="object" className="min-w-0 basis-52">{(control) => <Input {...control} autoComplete="off" spellCheck={false} maxLength={100} defaultValue={filter.object} />}</Field>
      <Field label="From" name="from" className="min-w-0 basis-36">{(control) => <Input {...control} type="date" defaultValue={filter.from} />}</Field>
      <Field label="To" name="to" className="min-w-0 basis-36">{(control) => <Input {...control} type="date" defaultValue={filter.to} />}</Field>
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit">Show</Button>
        {isFiltered ? <Link href={path} className="text-[0.8125rem] text-accent hover:underline">Show everything</Link> : null}
      </div>
    </form>
  );
}
