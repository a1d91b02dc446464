/** A copy of the product whose code a test may change, as an upgrade would. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export interface ProductCopy {
  readonly root: string;
  /** Replaces text in a file; throws when it is not there, so that no test changes nothing. */
  change(file: string, text: string, by: string): void;
  /** Puts a file back as it was. */
  restore(file: string): void;
  remove(): void;
}

export function copyProduct(): ProductCopy {
  const root = mkdtempSync(join(tmpdir(), 'perigee-copy-'));
  for (const part of ['src', 'demo', 'package.json'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  return {
    root,
    change(file, text, by) {
      const before = readFileSync(join(root, file), 'utf8');
      if (!before.includes(text)) throw new Error(`${file} does not have: ${text}`);
      writeFileSync(join(root, file), before.replace(text, by));
    },
    restore: (file) => cpSync(join(ROOT, file), join(root, file)),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
