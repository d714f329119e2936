import { describe, expect, test } from "vitest";
import { makeCreative, makeLine } from "@/test/gam";
import { AppError } from "../../errors";
import { adServerDeclaration, AD_SERVER_KINDS } from "../registry";
import { adServerDriver } from "../drivers";
import { type DesiredLine } from "../types";
import { findCountryGeoTarget } from "./countries";
import { toCreativeFields, toSize } from "./creatives";
import { gamDeclaration } from "./declare";
import { checkLine, toLineItem } from "./line-items";
import { readOverlay } from "./targeting";
import { moneyToMicros, toMoney } from "./wire";

const codesOf = (line: DesiredLine) => checkLine(line).map(({ code }) => code);

describe("money", () => {
  test.each([["12500000", "12", 500_000_000], ["1", "0", 1_000], ["0", "0", 0], ["999999999999999999", "999999999999", 999_999_000]])("%s micros are exact", (micros, units, nanos) => {
    expect(toMoney(micros, "USD")).toEqual({ currencyCode: "USD", units, nanos });
    expect(moneyToMicros(toMoney(micros, "USD"))).toBe(BigInt(micros));
  });
});

describe("a package becomes a line item", () => {
  test("whose units are its own", () => {
    expect(toLineItem(makeLine({ units: "81234" }), "UTC").fields).toMatchObject({ goal: { goalType: "LIFETIME", unitType: "IMPRESSIONS", units: "81234" }, costType: "CPM", rateMicros: "12500000" });
  });

  test("by the day: a flat price is parted among them and never costs more than it, whatever the budget; a price per day is that of each", () => {
    const target = { adUnitIds: ["1"], placementIds: [], lineItemType: "SPONSORSHIP" };
    expect(toLineItem(makeLine({ target, pricingModel: "flat_rate", rateMicros: "10000000", budgetMicros: "90000000", units: "5", startsAt: "2027-03-03T00:00:00.000Z", endsAt: "2027-03-06T00:00:00.000Z" }), "UTC").fields).toMatchObject({
      costType: "CPD", rateMicros: "3333333", goal: { goalType: "DAILY", units: "100" }, priority: 4,
    });
    expect(toLineItem(makeLine({ target, pricingModel: "time", rateMicros: "10000000", budgetMicros: "30000000", units: "3" }), "UTC").fields).toMatchObject({ costType: "CPD", rateMicros: "10000000" });
  });

  test("that lasts as long as its longest creative", () => {
    const video = { width: 640, height: 360, kind: "video" as const };
    const line = makeLine({ placeholders: [video], creatives: [makeCreative({ ...video, durationMs: 90_500, source: { type: "vast_url", url: "https://a.example/v.xml" } })] });
    expect(toLineItem(line, "UTC").fields).toMatchObject({ environmentType: "VIDEO_PLAYER", maxVideoSeconds: 91 });
  });

  test.each([
    ["a flat price on a standard line item", { pricingModel: "flat_rate" as const }, "pricing_not_supported"],
    ["a price per day on a standard line item", { pricingModel: "time" as const }, "pricing_not_supported"],
    ["impressions on a sponsorship", { target: { adUnitIds: ["1"], placementIds: [], lineItemType: "SPONSORSHIP" } }, "pricing_not_supported"],
    ["anything on a house line item", { target: { adUnitIds: ["1"], placementIds: [], lineItemType: "HOUSE" } }, "pricing_not_supported"],
    ["no units", { units: "0" }, "zero_units"],
    ["no price", { rateMicros: "0" }, "zero_rate"],
    ["no sizes", { placeholders: [], creatives: [] }, "no_sizes"],
    ["pages and players at once", { placeholders: [{ width: 300, height: 250, kind: "display" as const }, { width: 640, height: 360, kind: "video" as const }] }, "mixed_environments"],
    ["nothing targeted", { target: { adUnitIds: [], placementIds: [], lineItemType: "STANDARD" } }, "invalid_target"],
    ["another ad server's target", { target: { zone: 7 } }, "invalid_target"],
    ["targeting that needs a look-up", { targeting: { geo_regions: ["US-CA"] } }, "targeting_not_supported"],
    ["a creative of another size", { creatives: [makeCreative({ width: 728, height: 90 })] }, "creative_size"],
    ["a hosted video", { placeholders: [{ width: 640, height: 360, kind: "video" as const }], creatives: [makeCreative({ kind: "video", width: 640, height: 360, source: { type: "video_url", url: "https://a.example/v.mp4" } })] }, "creative_not_supported"],
  ])("but not with %s", (_name, changes, code) => {
    expect(codesOf(makeLine(changes))).toEqual([code]);
    expect(checkLine(makeLine(changes))[0]?.message).toMatch(/[.%:]$|\.$|x\d+\.$/);
  });

  test("and one that can be sold has no problems", () => {
    expect(checkLine(makeLine())).toEqual([]);
  });
});

describe("targeting", () => {
  test("countries are 2000 + ISO numeric code", () => {
    expect(["US", "gb", "DE", "FR", "AF", "ZW"].map(findCountryGeoTarget)).toEqual(["2840", "2826", "2276", "2250", "2004", "2716"]);
    expect(["XX", "USA", ""].map(findCountryGeoTarget)).toEqual([undefined, undefined, undefined]);
  });

  test("says in words what it does and what it cannot", () => {
    expect(readOverlay({ geo_countries: ["US", "CA"], frequency_cap: { suppress: { interval: 60, unit: "minutes" } }, geo_metros: [] })).toEqual({
      geos: ["2124", "2840"], excludedGeos: [], frequencyCaps: [{ maxImpressions: "1", timeAmount: "60", timeUnit: "MINUTE" }],
      words: ["only in United States, Canada", "at most 1 time per 60 minutes"], problems: [],
    });
    expect(readOverlay({ geo_countries: ["ZZ"], device_type: ["mobile"] }).problems).toEqual(["“ZZ” is no ISO 3166-1 alpha-2 country code.", "Google Ad Manager line items cannot express the targeting “device type” here."]);
  });

  test.each([
    [{ max_impressions: 5, per: "devices", window: { interval: 7, unit: "days" } }, [{ maxImpressions: "5", timeAmount: "7", timeUnit: "DAY" }], 0],
    [{ max_impressions: 5, per: "cookies", window: { interval: 1, unit: "campaign" }, suppress_minutes: 30 }, [{ maxImpressions: "1", timeAmount: "30", timeUnit: "MINUTE" }, { maxImpressions: "5", timeAmount: "1", timeUnit: "LIFETIME" }], 0],
    [{ suppress: { interval: 120, unit: "seconds" } }, [{ maxImpressions: "1", timeAmount: "2", timeUnit: "MINUTE" }], 0],
    [{ suppress: { interval: 90, unit: "seconds" } }, [], 1],
    [{ max_impressions: 5, per: "households", window: { interval: 1, unit: "days" } }, [], 1],
  ])("frequency cap %j", (cap, caps, problems) => {
    const overlay = readOverlay({ frequency_cap: cap });
    expect(overlay.frequencyCaps).toEqual(caps);
    expect(overlay.problems).toHaveLength(problems);
  });
});

describe("creatives", () => {
  const fieldsOf = (changes: Parameters<typeof makeCreative>[0]) => toCreativeFields(makeCreative(changes), "[mb_1]").fields;

  test("sizes that are none", () => {
    expect([toSize({ kind: "audio", width: 1, height: 1 }), toSize({ kind: "native", width: 1, height: 1 }), toSize({ kind: "native", width: 300, height: 250 })]).toEqual([
      { width: 1, height: 1, sizeType: "AUDIO" }, { width: 1, height: 1, sizeType: "FLUID" }, { width: 300, height: 250, sizeType: "PIXEL" },
    ]);
  });

  test("each kind of source", () => {
    expect(fieldsOf({ clickUrl: null, impressionTrackerUrls: ["https://t.example/i"] })).toMatchObject({ type: "imageRedirectCreative", details: { destinationUrlType: "NONE", thirdPartyImpressionTrackingUrls: ["https://t.example/i"] } });
    expect(fieldsOf({ source: { type: "html", html: "<div>ad</div>" } })).toMatchObject({ type: "thirdPartyCreative", details: { snippet: "<div>ad</div>" } });
    expect(fieldsOf({ source: { type: "script_url", url: 'https://a.example/t.js?a=1&b="x"' } })).toMatchObject({ details: { snippet: '<script src="https://a.example/t.js?a=1&amp;b=&quot;x&quot;"></script>' } });
    expect(fieldsOf({ kind: "video", durationMs: 6_500, source: { type: "vast_url", url: "https://a.example/v.xml" } })).toMatchObject({ type: "vastRedirectCreative", details: { duration: "6.5s", vastRedirectType: "LINEAR" } });
  });

  test("what native text says cannot become markup", () => {
    const fields = fieldsOf({ kind: "native", source: { type: "native", fields: { title: '"><script>alert(1)</script>', icon_image: "https://a.example/i.png" } } });
    expect(fields?.details.htmlSnippet).toBe('<a class="native-ad" href="%%CLICK_URL_UNESC%%%%DEST_URL%%" target="_blank" rel="noopener"><span class="native-title">&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;</span><img class="native-icon-image" src="https://a.example/i.png" alt=""></a>');
  });

  test("names keep both suffixes within 255 characters", () => {
    const creative = makeCreative();
    const { fields } = toCreativeFields({ ...creative, name: `${"long ".repeat(80)}${creative.suffix}` }, "[mb_1]");
    expect(fields?.displayName.length).toBeLessThanOrEqual(255);
    expect(fields?.displayName.endsWith(`${creative.suffix} [mb_1]`)).toBe(true);
  });

  test.each([
    [{ kind: "audio" as const, source: { type: "audio_url" as const, url: "https://a.example/a.mp3" } }, "as a VAST tag only"],
    [{ kind: "video" as const, source: { type: "vast_url" as const, url: "https://a.example/v.xml" } }, "duration"],
    [{ clickUrl: `https://a.example/${"x".repeat(1024)}` }, "1024 characters"],
  ])("that cannot be served say why", (changes, words) => {
    expect(toCreativeFields(makeCreative(changes), "").problem).toContain(words);
  });
});

describe("the declaration", () => {
  test("accepts a service account's key and shows whose it is", () => {
    const key = { type: "service_account", client_email: "sales@publisher.iam.gserviceaccount.com", private_key: "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", private_key_id: "1", token_uri: "https://evil.example" };
    expect(gamDeclaration.parseCredentials(JSON.stringify(key))).toEqual({ hint: "sales@publisher.iam.gserviceaccount.com" });
  });

  test.each([
    ["no JSON", "hello"], ["an OAuth client", JSON.stringify({ type: "authorized_user", client_email: "a@b.example", private_key: "x" })], ["no key", JSON.stringify({ type: "service_account", client_email: "a@b.example" })],
    ["a public key", JSON.stringify({ type: "service_account", client_email: "a@b.example", private_key: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----" })],
  ])("refuses %s without repeating it", (_name, text) => {
    let error: unknown;
    try {
      gamDeclaration.parseCredentials(text);
    } catch (caught) {
      error = caught;
    }
    if (!(error instanceof AppError)) throw new Error("Expected an AppError");
    expect(error.code).toBe("VALIDATION_ERROR");
    expect(error.userMessage).not.toContain(text);
  });

  test.each([
    [{ networkCode: "21700000001" }, true], [{ networkCode: "21700000001", traffickerId: "244", callDeadlineMs: 5_000, lookUpPauseMs: 300 }, true],
    [{ networkCode: "my-network" }, false], [{ networkCode: "1", baseUrl: "http://169.254.169.254" }, false], [{}, false],
  ])("connection %j", (config, isValid) => {
    expect(gamDeclaration.connectionSchema.safeParse(config).success).toBe(isValid);
  });

  test.each([
    [{ adUnitIds: ["1"], placementIds: [], lineItemType: "STANDARD", priority: 8 }, true], [{ placementIds: ["9"], lineItemType: "NETWORK", sharePercent: 25 }, true],
    [{ adUnitIds: ["1"], lineItemType: "STANDARD", priority: 4 }, false], [{ adUnitIds: ["1"], lineItemType: "STANDARD", sharePercent: 50 }, false],
    [{ adUnitIds: [], placementIds: [], lineItemType: "STANDARD" }, false], [{ adUnitIds: ["home"], lineItemType: "STANDARD" }, false], [{ adUnitIds: ["1"], lineItemType: "ADSENSE" }, false],
  ])("target %j", (config, isValid) => {
    expect(gamDeclaration.productTargetSchema.safeParse(config).success).toBe(isValid);
  });

  test("an unknown ad server has no stand-in", () => {
    expect(AD_SERVER_KINDS).toEqual(["google_ad_manager"]);
    expect(() => adServerDeclaration("broadstreet")).toThrow(AppError);
    expect(() => adServerDriver("broadstreet")).toThrow(AppError);
    expect(adServerDeclaration("google_ad_manager").networkKey({ networkCode: "123" })).toBe("123");
  });
});
