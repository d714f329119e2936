import { describe, expect, test } from "vitest";
import { AppError } from "../errors";
import { assertPlainText } from "./plain-text";

/** The field that a change with this input is refused for; null: it is taken. */
function refusedField(input: Record<string, unknown>, isChange = true): string | null {
  try {
    assertPlainText(input, isChange);
    return null;
  } catch (error) {
    if (error instanceof AppError && error.code === "INVALID_REQUEST") return error.field ?? "";
    throw error;
  }
}

describe("markup in a name", () => {
  test.each([
    "<b>Spring</b>", "Spring</b>", "Spring <img src=x onerror=alert(1)>", "Spring <img src=x onerror=alert(1)", "<svg/onload=alert(1)", "<svg onload=alert(1)//", "<x onclick = \"go()\">Spring</x>",
    "<p\nclass=x>", "<br/>", "<SCRIPT >alert(1)", "<script defer", "<!-- Spring", "<!DOCTYPE html>", "<![CDATA[x", "<?php echo 1 ?>", "<custom-element>", "<iframe src=//evil.example", "<a title='x' href='//evil.example'",
  ])("%j is refused with the field's path", (name) => {
    expect(refusedField({ name })).toBe("name");
    expect(refusedField({ packages: [{ creatives: [{ creative_id: "c-1", name }] }] })).toBe("packages[0].creatives[0].name");
    // What a read looks for is stored nowhere, and what a buyer gets back as it came is the buyer's.
    expect(refusedField({ name }, false)).toBeNull();
    expect(refusedField({ context: { name }, ext: { name } })).toBeNull();
  });

  test.each(["A < B", "A<B", "a <b", "R&D", "R&amp;D", "Q1 <3", "I <3 outdoor", "ROAS <target and CTR >1%", "<18 & >65", "CPA <goal, ROAS = 3", "1 << 2 >> 0", "=> autumn <=", "“Spring” – it's 50% off!", "Größe <Ü>"])("%j is text", (name) => {
    expect(refusedField({ name, po_number: name, packages: [{ creatives: [{ name }] }] })).toBeNull();
  });
});
