// The lines that have arrived, numbered; the oldest leave when there are too many.
export class Buffer {
  constructor(cap) {
    this.cap = cap;
    this.clear();
  }

  clear() {
    this.entries = [];
    this.first = 0; // number of entries[0]
  }

  get end() { return this.first + this.entries.length; }

  get(number) { return this.entries[number - this.first]; }

  push(entry) {
    entry.n = this.end;
    this.entries.push(entry);
    // Cut in large pieces: shifting one at a time would cost a copy for every line.
    if (this.entries.length > this.cap * 1.25) {
      const over = this.entries.length - this.cap;
      this.entries.splice(0, over);
      this.first += over;
    }
  }
}
