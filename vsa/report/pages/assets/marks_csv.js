// CSV as RFC 4180 has it, and as spreadsheets make it of that.
"use strict";
window.VSA = window.VSA || {};
(() => {
  const FORMULA = /^'*[=+\-@\t\r]/;
  const NEUTRAL = /^'+[=+\-@\t\r]/;

  // A cell that a spreadsheet shows and does not compute; numbers stay numbers.
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = FORMULA.test(String(value)) ? `'${value}` : String(value);
    return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const restored = (text) => (NEUTRAL.test(text) ? text.slice(1) : text);

  // Text of a file: UTF-8, UTF-16 with its mark, or what older spreadsheets save.
  const decoded = (bytes) => {
    const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
    if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
    if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  };

  // Rows of cells. A quote that is not closed is an error: what follows it can't be told.
  const rows = (text, delimiter) => {
    const found = [];
    let row = [], held = "", quoted = false, begun = false;
    const endCell = () => { row.push(held); held = ""; begun = false; };
    const endRow = () => { endCell(); if (row.some((one) => one.trim())) found.push(row); row = []; };
    for (let k = 0; k < text.length; k++) {
      const one = text[k];
      if (quoted) {
        if (one !== '"') held += one;
        else if (text[k + 1] === '"') { held += '"'; k++; }
        else quoted = false;
      } else if (one === '"' && !begun) { quoted = true; begun = true; }
      else if (one === delimiter) endCell();
      else if (one === "\n" || one === "\r") { if (one === "\r" && text[k + 1] === "\n") k++; endRow(); }
      else { held += one; begun = true; }
    }
    if (quoted) throw new Error("a quote in it is not closed");
    endRow();
    return found;
  };

  // Records by the names of the first row.
  const records = (text) => {
    const plain = text.replace(/^\ufeff/, "");
    const first = plain.split(/[\r\n]/, 1)[0];
    const delimiter = [",", ";", "\t"].reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a));
    const [header = [], ...rest] = rows(plain, delimiter);
    const names = header.map((name) => name.trim());
    return {
      names,
      records: rest.map((row) => new Map(names.map((name, k) => [name, restored((row[k] ?? "").trim())]))),
    };
  };

  VSA.csv = {
    decoded, records,
    // With the mark that tells Excel that it is UTF-8.
    text: (table) => `\ufeff${table.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`,
  };
})();
