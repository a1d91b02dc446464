/** One source file as the tidy test sees it: its imports, its functions' lengths, its text. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';

export interface SourceFile {
  /** Path from the repository's root. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** What it imports: paths from the root for the project's own files, module names for others. */
  readonly imports: readonly string[];
  readonly hasStarExport: boolean;
  readonly functions: readonly { readonly line: number; readonly lines: number }[];
  /** Calls and constructions that read the world, such as `Date.now`. */
  readonly ambient: readonly string[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Reads and parses a file; a syntax error is thrown with the file's name. */
export function readSource(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.map(({ moduleRequest }) => moduleRequest?.value),
    ),
    ...module.dynamicImports.map(({ moduleRequest }) =>
      text.slice(moduleRequest.start + 1, moduleRequest.end - 1),
    ),
  ].filter((request) => request !== undefined);
  const found: { functions: SourceFile['functions'][number][]; ambient: string[] } = {
    functions: [],
    ambient: [],
  };
  walk(program as unknown as Node, (node) => inspect(node, text, found));
  return {
    path,
    text,
    lines: lineOf(text, text.length),
    imports: [...new Set(requests)].map((request) => resolveRequest(root, path, request)),
    hasStarExport: /^export \* from/m.test(text),
    ...found,
  };
}

function resolveRequest(root: string, from: string, request: string): string {
  if (request.startsWith('#')) return `src/${request.slice(1)}`;
  if (request.startsWith('.')) return relative(root, join(root, dirname(from), request));
  return request;
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child !== null && typeof child === 'object' && typeof (child as Node).type === 'string')
        walk(child as Node, visit);
    }
  }
}

function inspect(
  node: Node,
  text: string,
  found: { functions: { line: number; lines: number }[]; ambient: string[] },
): void {
  if (FUNCTIONS.has(node.type)) {
    const line = lineOf(text, node.start);
    found.functions.push({ line, lines: lineOf(text, node.end) - line + 1 });
  } else if (node.type === 'MemberExpression') {
    const name = text.slice(node.start, node.end);
    if (['Date.now', 'performance.now', 'Math.random', 'crypto.randomUUID'].includes(name))
      found.ambient.push(name);
  } else if (node.type === 'NewExpression' && (node.arguments as readonly unknown[]).length === 0) {
    if (text.slice(node.start, node.end).startsWith('new Date')) found.ambient.push('new Date()');
  }
}
