import { beforeAll, describe, expect, test } from "vitest";
import { useTestDatabase } from "@/test/db";
import { asList, BRAND_ACCOUNT, callMcp, errorCode, newKey } from "@/test/fixtures/door";
import { createBuyer, createPublisher, type PublisherFixture } from "@/test/fixtures/publisher";
import { withTenant } from "../db/client";
import { audienceMembers } from "./schema";

useTestDatabase();

let publisher: PublisherFixture;
beforeAll(async () => {
  publisher = await createPublisher();
});

const person = (id: string) => ({ external_id: id, hashed_email: id.charCodeAt(0).toString(16).padStart(64, "0") });
const call = (input: Record<string, unknown>, token = publisher.token) => callMcp("sync_audiences", { idempotency_key: newKey(), account: BRAND_ACCOUNT, ...input }, { token });
const sync = async (...wanted: Record<string, unknown>[]) => asList((await call({ audiences: wanted })).body.audiences);
const members = () => withTenant(publisher.tenantId, (tx) => tx.select().from(audienceMembers));

describe("sync_audiences", () => {
  test("adds, counts and removes people; whoever is in both lists is out", async () => {
    expect(await sync({ audience_id: "fans", name: "Fans", add: [person("a"), person("b"), person("b")] })).toMatchObject([{ audience_id: "fans", action: "created", status: "processing", uploaded_count: 3, total_uploaded_count: 2 }]);
    expect(await sync({ audience_id: "fans", add: [person("c"), person("a")], remove: [person("a")] })).toMatchObject([{ action: "updated", total_uploaded_count: 2, name: "Fans" }]);
    expect(await sync({ audience_id: "fans" })).toMatchObject([{ action: "unchanged", uploaded_count: 0, total_uploaded_count: 2 }]);
    expect((await call({})).body.audiences).toMatchObject([{ audience_id: "fans", total_uploaded_count: 2 }]);
  });

  test("keeps no id of a person as it is, and refuses what is not hashed", async () => {
    expect(JSON.stringify(await members())).not.toMatch(/"external_id"|"b"/);
    expect(await sync({ audience_id: "plain", add: [{ external_id: "jo@acme.example", hashed_email: "a".repeat(64) }] })).toMatchObject([{ action: "failed", errors: [{ code: "VALIDATION_ERROR", field: "audiences[0].add[0].external_id" }] }]);
    expect(errorCode(await call({ audiences: [{ audience_id: "plain", add: [{ external_id: "u", hashed_email: "jo@acme.example" }] }] }))).toBe("INVALID_REQUEST");
  });

  test("deletes an audience with its people, by name or because it was left out", async () => {
    await sync({ audience_id: "one", add: [person("x")] }, { audience_id: "two", add: [person("y")] });
    expect(await sync({ audience_id: "one", delete: true })).toMatchObject([{ audience_id: "one", action: "deleted" }]);
    expect(await sync({ audience_id: "one", delete: true })).toMatchObject([{ action: "failed", errors: [{ code: "REFERENCE_NOT_FOUND" }] }]);
    const swept = asList((await call({ audiences: [{ audience_id: "fans" }], delete_missing: true })).body.audiences);
    expect(swept).toMatchObject([{ audience_id: "fans", action: "unchanged" }, { audience_id: "two", action: "deleted" }]);
    expect(await members()).toHaveLength(2);
  });

  test("are the account's alone: another buyer sees none, and cannot touch them", async () => {
    const other = await createBuyer(publisher.tenantId, { isSandbox: true });
    expect((await call({}, other.token)).body.audiences).toEqual([]);
    await call({ audiences: [{ audience_id: "fans", delete: true }] }, other.token);
    expect((await call({})).body.audiences).toMatchObject([{ audience_id: "fans" }]);
  });
});
