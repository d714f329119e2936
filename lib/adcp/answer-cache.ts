/** Answers as text, kept in memory up to a total length; the least recently used ones make room. */
export class AnswerCache<T extends { json: string }> {
  private readonly entries = new Map<string, T>();
  private length = 0;

  constructor(private readonly lengthMax: number) {}

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    if (entry) {
      this.entries.delete(key);
      this.entries.set(key, entry);
    }
    return entry;
  }

  set(key: string, entry: T): void {
    this.remove(key);
    this.entries.set(key, entry);
    this.length += key.length + entry.json.length;
    for (const oldest of this.entries.keys()) {
      if (this.length <= this.lengthMax) break;
      this.remove(oldest);
    }
  }

  private remove(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.length -= key.length + entry.json.length;
  }
}
