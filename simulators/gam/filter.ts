import { ApiError } from "./errors";

/**
 * The part of AIP-160 that Ad Manager documents: AND, OR, NOT and `-`, parentheses, =, !=, <, <=, >, >=, `:`,
 * and `*` inside strings. OR binds tighter than AND, as in AIP-160. Bare literals, sequences and functions are
 * refused: a filter that is not understood must never select every row.
 */
export type Comparator = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":";

export interface Restriction {
  kind: "restriction";
  path: string;
  comparator: Comparator;
  value: string;
  isQuoted: boolean;
}

export type Filter =
  | { kind: "and" | "or"; parts: Filter[] }
  | { kind: "not"; part: Filter }
  | Restriction;

interface Token {
  kind: "word" | "string" | "symbol" | "end";
  text: string;
  at: number;
}

const tokenPattern = /\s+|"(?:[^"\\]|\\.)*"|!=|<=|>=|[=<>:()]|[^\s"'=<>!:()]+|./gy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(tokenPattern)) {
    const part = match[0];
    if (/^\s/.test(part)) continue;
    if (part === '"' || part === "!" || part === "'") throw badFilter(text, match.index);
    if (part.startsWith('"')) tokens.push({ kind: "string", text: part.slice(1, -1).replace(/\\(.)/g, "$1"), at: match.index });
    else if (/^(!=|<=|>=|[=<>:()])$/.test(part)) tokens.push({ kind: "symbol", text: part, at: match.index });
    else tokens.push({ kind: "word", text: part, at: match.index });
  }
  tokens.push({ kind: "end", text: "", at: text.length });
  return tokens;
}

export function badFilter(text: string, at: number, why = "Syntax error"): ApiError {
  const description = `Invalid filter: ${why} at position ${at} in '${text}'.`;
  return new ApiError("INVALID_ARGUMENT", description, {
    violations: [{ field: "filter", description, reason: "FILTER_ERROR_INVALID_FILTER" }],
  });
}

export function parseFilter(text: string): Filter {
  const tokens = tokenize(text);
  let position = 0;

  const peek = (): Token => tokens[position] ?? { kind: "end", text: "", at: text.length };
  const isWord = (word: string): boolean => peek().kind === "word" && peek().text === word;
  const isSymbol = (symbol: string): boolean => peek().kind === "symbol" && peek().text === symbol;
  const take = (): Token => {
    const token = peek();
    position++;
    return token;
  };

  function parseJoined(word: "AND" | "OR", parsePart: () => Filter): Filter {
    const parts = [parsePart()];
    while (isWord(word)) {
      take();
      parts.push(parsePart());
    }
    const [only] = parts;
    return parts.length === 1 && only ? only : { kind: word === "AND" ? "and" : "or", parts };
  }

  function parseTerm(): Filter {
    if (isWord("NOT")) {
      take();
      return { kind: "not", part: parseSimple() };
    }
    const token = peek();
    if (token.kind === "word" && token.text.startsWith("-")) {
      tokens[position] = { ...token, text: token.text.slice(1) };
      if (token.text === "-") take();
      return { kind: "not", part: parseSimple() };
    }
    return parseSimple();
  }

  function parseSimple(): Filter {
    if (!isSymbol("(")) return parseRestriction();
    take();
    const inner = parseExpression();
    if (!isSymbol(")")) throw badFilter(text, peek().at);
    take();
    return inner;
  }

  function parseRestriction(): Filter {
    const field = take();
    if (field.kind !== "word" || !/^[A-Za-z]\w*(\.[A-Za-z]\w*)*$/.test(field.text)) throw badFilter(text, field.at);
    const comparator = readComparator(take(), text);
    const value = take();
    if (value.kind !== "word" && value.kind !== "string") throw badFilter(text, value.at);
    // Unquoted timestamps and names hold colons: they belong to the value as long as nothing separates them.
    let raw = value.text;
    let end = value.at + raw.length;
    while (value.kind === "word" && isSymbol(":") && peek().at === end) {
      const colon = take();
      const next = take();
      if (next.kind !== "word" || next.at !== colon.at + 1) throw badFilter(text, colon.at);
      raw += `:${next.text}`;
      end = next.at + next.text.length;
    }
    return { kind: "restriction", path: field.text, comparator, value: raw, isQuoted: value.kind === "string" };
  }

  function parseExpression(): Filter {
    return parseJoined("AND", () => parseJoined("OR", parseTerm));
  }

  const filter = parseExpression();
  if (peek().kind !== "end") throw badFilter(text, peek().at);
  return filter;
}

function readComparator(token: Token, text: string): Comparator {
  switch (token.kind === "symbol" ? token.text : "") {
    case "=": return "=";
    case "!=": return "!=";
    case "<": return "<";
    case "<=": return "<=";
    case ">": return ">";
    case ">=": return ">=";
    case ":": return ":";
    default: throw badFilter(text, token.at);
  }
}
