/** How each figure stands to its goal; the bench prints, it does not judge. */
export function goal(isMet: boolean, text: string): string {
  return `${isMet ? "met" : "MISSED"} (goal ${text})`;
}

export function title(text: string): void {
  console.log(`\n${text}`);
}
