import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";

/** The only exports that may act or answer without these doors, each with its own check. */
const OWN_DOORS = {
  actions: ["app/set-password/[token]/actions.ts#openLink", "app/sign-in/actions.ts#signIn", "app/sign-in/actions.ts#signOut"],
  routes: {
    "app/live/route.ts": "readStaffOf",
    "app/api/auth/[...nextauth]/route.ts": "nextAuthOptions",
  } as Record<string, string>,
};

/** Route handlers for buyers: their door is the token, checked by the one handler. */
const BUYER_HANDLER = "mountBuyerDoor";

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function parse(file: string, text = readFileSync(file, "utf8")): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
}

function hasDirective(statements: ts.NodeArray<ts.Statement>, directive: string): boolean {
  return statements.some((statement) => ts.isExpressionStatement(statement) && ts.isStringLiteral(statement.expression) && statement.expression.text === directive);
}

function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
}

function callsIn(node: ts.Node): Set<string> {
  const names = new Set<string>();
  const visit = (child: ts.Node): void => {
    if (ts.isCallExpression(child)) {
      if (ts.isIdentifier(child.expression)) names.add(child.expression.text);
      else if (ts.isPropertyAccessExpression(child.expression)) names.add(child.expression.name.text);
    }
    ts.forEachChild(child, visit);
  };
  visit(node);
  return names;
}

/** Exported actions that are not `export const x = adminAction(…)`, and "use server" anywhere but at the top of a file. */
function openActions(file: string, source: ts.SourceFile): string[] {
  const inside: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) && hasDirective(node.statements, "use server")) inside.push(`${file}: "use server" inside a function`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (!hasDirective(source.statements, "use server")) return inside;
  const open = source.statements.flatMap((statement): string[] => {
    if (ts.isExportDeclaration(statement)) return statement.isTypeOnly ? [] : [`${file}#re-export`];
    if (ts.isExportAssignment(statement)) return [`${file}#default`];
    if (!isExported(statement) || ts.isTypeAliasDeclaration(statement) || ts.isInterfaceDeclaration(statement)) return [];
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations
        .filter(({ initializer }) => !(initializer && ts.isCallExpression(initializer) && ts.isIdentifier(initializer.expression) && initializer.expression.text === "adminAction"))
        .map(({ name }) => `${file}#${name.getText()}`);
    }
    return [`${file}#${ts.isFunctionDeclaration(statement) ? (statement.name?.text ?? "default") : "unknown"}`];
  });
  return [...inside, ...open];
}

/** Functions of a page that render or read (the default export, generateMetadata) without coming through requirePage, directly or by a function of the same file. */
function openPageFunctions(file: string, source: ts.SourceFile): string[] {
  const functions = new Map<string, ts.Node>();
  let fallback: ts.Node | undefined;
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement)) {
      if (statement.name) functions.set(statement.name.text, statement);
      if (isExported(statement) && (ts.getModifiers(statement) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword)) fallback = statement;
    }
    if (ts.isVariableStatement(statement)) for (const { name, initializer } of statement.declarationList.declarations) if (initializer) functions.set(name.getText(), initializer);
  }
  const isGuarded = (node: ts.Node, seen = new Set<ts.Node>()): boolean => {
    if (seen.has(node)) return false;
    seen.add(node);
    const calls = callsIn(node);
    if (calls.has("requirePage")) return true;
    return [...calls].some((name) => {
      const called = functions.get(name);
      return called !== undefined && isGuarded(called, seen);
    });
  };
  const required: [string, ts.Node | undefined][] = [["default", fallback], ...(functions.has("generateMetadata") ? [["generateMetadata", functions.get("generateMetadata")] as [string, ts.Node | undefined]] : [])];
  return required.filter(([, node]) => !node || !isGuarded(node)).map(([name]) => `${file}#${name}`);
}

const files = [...filesBelow("app"), ...filesBelow("lib"), ...filesBelow("components")];

describe("every door is kept", () => {
  test("every exported server action goes through adminAction", () => {
    const open = files.flatMap((file) => openActions(file, parse(file)));
    expect(open.sort()).toEqual(OWN_DOORS.actions);
  });

  test("every page and layout of a publisher goes through requirePage", () => {
    const pages = files.filter((file) => file.startsWith("app/(admin)/") && /\/(page|layout|template|default)\.tsx$/.test(file));
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap((file) => openPageFunctions(file, parse(file)))).toEqual([]);
  });

  test("every page outside of it is known", () => {
    const pages = files.filter((file) => file.startsWith("app/") && !file.startsWith("app/(admin)/") && file.endsWith("/page.tsx"));
    expect(pages.sort()).toEqual(["app/page.tsx", "app/set-password/[token]/page.tsx", "app/sign-in/page.tsx"]);
  });

  test("every route handler has a door that is known", () => {
    const routes = files.filter((file) => /^app\/.*\/route\.ts$/.test(file));
    const open = routes.filter((file) => {
      const text = readFileSync(file, "utf8");
      return file.startsWith("app/(admin)/") ? !text.includes("requirePage(") : !text.includes(OWN_DOORS.routes[file] ?? BUYER_HANDLER);
    });
    expect(routes.length).toBeGreaterThan(1);
    expect(open).toEqual([]);
  });
});

describe("an open door is seen", () => {
  const actionFile = (text: string) => openActions("x.ts", parse("x.ts", text));
  const pageFile = (text: string) => openPageFunctions("page.tsx", parse("page.tsx", text));

  test.each([
    [`"use server"; export async function save() {}`, ["x.ts#save"]],
    [`"use server"; export const save = async () => {};`, ["x.ts#save"]],
    [`"use server"; const save = async () => {}; export { save };`, ["x.ts#re-export"]],
    [`"use server"; export default async function () {}`, ["x.ts#default"]],
    [`export function Page() { async function save() { "use server"; } return save; }`, [`x.ts: "use server" inside a function`]],
    [`"use server"; export const save = adminAction("settings.edit", schema, perform); export type State = string;`, []],
  ])("%s", (text, expected) => {
    expect(actionFile(text)).toEqual(expected);
  });

  test.each([
    [`export default async function Page() { return null; }`, ["page.tsx#default"]],
    [`export default async function Page() { await requirePage("a", "b"); return null; }`, []],
    [`const load = cache(async () => { const page = await requirePage("a", "b"); return page; }); export default async function Page() { await load(); return null; }`, []],
    [`export async function generateMetadata() { return read(); } export default async function Page() { await requirePage("a", "b"); return null; }`, ["page.tsx#generateMetadata"]],
  ])("%s", (text, expected) => {
    expect(pageFile(text)).toEqual(expected);
  });
});
