import { RotateCw } from "lucide-react";
import { ActionButton } from "@/components/forms/action-button";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { CopyableId } from "@/components/ui/copy-button";
import { Notice } from "@/components/ui/notice";
import { Cell, ColumnHeader, RowHeader, Table, TableBody, TableHead, TableRow } from "@/components/ui/table";
import { TimeAgo } from "@/components/ui/time-ago";
import { adServerDeclaration } from "@/lib/ad-servers/registry";
import { type Review, type ReviewedFulfilment } from "@/lib/approvals/review";
import { type AdminAction } from "@/lib/auth/action-state";
import { formatDuration } from "@/lib/time";
import { BlockedChoices } from "./blocked-choices";
import { FulfilmentStateBadge, OperationStateBadge } from "./status";

type Operation = ReviewedFulfilment["operations"][number];

export type ExecutionActions = { resolveBlocked: AdminAction; retryFulfilment: AdminAction };

type Props = {
  fulfilment: ReviewedFulfilment;
  steps: Review["steps"];
  actions: ExecutionActions;
  canDecide: boolean;
  canRetry: boolean;
  now: Date;
  timeZone: string;
};

/** How far one ad server reflects the order: its steps as they run, what stopped them, and what differs from what was sold. */
export function Execution({ fulfilment, steps, actions, canDecide, canRetry, now, timeZone }: Props) {
  const { connection, state, drift, observedAt, blockedReason } = fulfilment;
  const isStopped = state === "blocked" || state === "failed";
  const question = steps.find((step) => step.kind === "fulfilment_blocked" && step.state === "pending" && step.fulfilmentId === fulfilment.id);
  const current = fulfilment.operations.filter((operation) => operation.desiredVersion === fulfilment.desiredVersion);
  const earlier = fulfilment.operations.filter((operation) => operation.desiredVersion !== fulfilment.desiredVersion);
  const retry = isStopped && canRetry ? actions.retryFulfilment : null;
  return (
    <Card
      title={<span className="flex flex-wrap items-center gap-2">{connection.name}<Badge>{connection.mode === "live" ? "Live" : "Simulated"}</Badge><FulfilmentStateBadge state={state} hasDrift={drift.length > 0} /></span>}
      description={adServerDeclaration(connection.kind).label}
      actions={<p className="text-xs text-ink-2">{observedAt ? <>Read back <TimeAgo at={observedAt} now={now} timeZone={timeZone} /></> : "Not read back yet"}</p>}
      flush
    >
      {isStopped && blockedReason ? (
        <div className="border-b border-line p-4">
          <Notice tone="danger" title={state === "failed" ? "This connection failed" : "This connection is blocked"}>
            <p>{blockedReason}</p>
            <p className="text-[0.8125rem] text-ink-2">Since <TimeAgo at={fulfilment.updatedAt} now={now} timeZone={timeZone} /></p>
          </Notice>
          {question && canDecide ? <BlockedChoices stepId={question.id} choices={question.payload.choices ?? []} action={actions.resolveBlocked} /> : null}
        </div>
      ) : null}
      {drift.length > 0 ? <Drift fulfilment={fulfilment} now={now} timeZone={timeZone} /> : null}
      {current.length > 0 ? <Steps operations={current} caption={`Steps in ${connection.name}`} retry={retry} fulfilmentId={fulfilment.id} timeZone={timeZone} now={now} /> : (
        <div className="flex flex-wrap items-center justify-between gap-3 p-4">
          <p className="text-ink-2">{WAITING_WORDS[state]}</p>
          {retry && !question ? <RetryButton action={retry} fulfilmentId={fulfilment.id} /> : null}
        </div>
      )}
      {earlier.length > 0 ? (
        <details className="border-t border-line">
          <summary className="px-4 py-2.5 text-[0.8125rem] text-ink-2">Steps of earlier versions ({earlier.length})</summary>
          <Steps operations={earlier} caption={`Earlier steps in ${connection.name}`} retry={null} fulfilmentId={fulfilment.id} timeZone={timeZone} now={now} />
        </details>
      ) : null}
    </Card>
  );
}

const WAITING_WORDS: Record<ReviewedFulfilment["state"], string> = {
  pending: "Queued. The first step begins shortly.",
  applying: "The plan is being made.",
  awaiting_ad_server: "The ad server is not ready yet; this is looked at again by itself.",
  in_sync: "Nothing had to be written for this version.",
  blocked: "No step was begun.",
  failed: "No step was begun.",
  ended: "Nothing was ever written to this ad server.",
};

function Steps({ operations, caption, retry, fulfilmentId, timeZone, now }: { operations: Operation[]; caption: string; retry: AdminAction | null; fulfilmentId: string; timeZone: string; now: Date }) {
  return (
    <Table caption={caption}>
      <TableHead>
        <ColumnHeader>Step</ColumnHeader>
        <ColumnHeader>State</ColumnHeader>
        <ColumnHeader isNumeric>Attempts</ColumnHeader>
        <ColumnHeader>When</ColumnHeader>
        <ColumnHeader>In the ad server</ColumnHeader>
      </TableHead>
      <TableBody>
        {operations.map((operation) => (
          <TableRow key={operation.id} className="align-top">
            <RowHeader className="min-w-48">
              {operation.summary}
              {operation.error ? <p className="mt-1 font-normal break-words text-danger">{operation.error.message}{operation.error.correlationId ? <span className="block font-mono text-xs text-ink-2">{operation.error.correlationId}</span> : null}</p> : null}
            </RowHeader>
            <Cell>
              <div className="flex flex-wrap items-center gap-2">
                <OperationStateBadge state={operation.state} />
                {retry && operation.state === "failed" ? <RetryButton action={retry} fulfilmentId={fulfilmentId} /> : null}
              </div>
            </Cell>
            <Cell isNumeric>{operation.attempts}</Cell>
            <Cell className="whitespace-nowrap text-ink-2">
              {operation.startedAt ? <TimeAgo at={operation.startedAt} now={now} timeZone={timeZone} /> : null}
              {tookMs(operation) >= SHOWN_FROM_MS ? <span className="block text-xs">took {formatDuration(tookMs(operation))}</span> : null}
            </Cell>
            <Cell><ExternalIds ids={operation.externalIds} /></Cell>
          </TableRow>
        ))}
      </TableBody>
    </Table>
  );
}

const SHOWN_FROM_MS = 100;

function tookMs({ startedAt, finishedAt }: Operation): number {
  return startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : 0;
}

const IDS_SHOWN = 6;

function ExternalIds({ ids }: { ids: Record<string, string> | null }) {
  const entries = Object.entries(ids ?? {});
  if (entries.length === 0) return null;
  return (
    <ul className="grid gap-0.5">
      {entries.slice(0, IDS_SHOWN).map(([name, id]) => <li key={name}><CopyableId value={id} label={`Copy ad server id ${id}`} /></li>)}
      {entries.length > IDS_SHOWN ? <li className="text-xs text-ink-2">and {entries.length - IDS_SHOWN} more</li> : null}
    </ul>
  );
}

function RetryButton({ action, fulfilmentId }: { action: AdminAction; fulfilmentId: string }) {
  return <ActionButton action={action} fields={{ fulfilmentId }} size="small"><RotateCw aria-hidden />Retry</ActionButton>;
}

function Drift({ fulfilment, now, timeZone }: { fulfilment: ReviewedFulfilment; now: Date; timeZone: string }) {
  return (
    <div className="border-b border-line pt-3">
      <p className="px-4 pb-2 text-[0.8125rem]">
        <span className="font-semibold text-warning">The ad server differs from what was sold.</span>{" "}
        <span className="text-ink-2">{fulfilment.observedAt ? <>Seen <TimeAgo at={fulfilment.observedAt} now={now} timeZone={timeZone} />.</> : null}</span>
      </p>
      <Table caption={`Differences in ${fulfilment.connection.name}`}>
        <TableHead>
          <ColumnHeader>Where</ColumnHeader>
          <ColumnHeader>Value</ColumnHeader>
          <ColumnHeader>Sold</ColumnHeader>
          <ColumnHeader>In the ad server</ColumnHeader>
        </TableHead>
        <TableBody>
          {fulfilment.drift.map((difference) => (
            <TableRow key={`${difference.ourKey}:${difference.field}`}>
              <RowHeader>{difference.object}</RowHeader>
              <Cell>{difference.field}</Cell>
              <Cell className="break-words">{difference.expected}</Cell>
              <Cell className="font-medium break-words text-warning">{difference.observed}</Cell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
