/**
 * Programs of others that judge what we serve. One that is not installed skips its tests, and says so; where
 * everything must be tested (CI), it fails them.
 */
import { describe, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface JudgeRun {
  /** Exit code; null when it was ended for taking too long. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface JudgeOptions {
  readonly input?: Uint8Array;
}

export type RunJudge = (arguments_: readonly string[], options?: JudgeOptions) => Promise<JudgeRun>;

/** No judge has reason to take so long, ms. */
const JUDGE_MS = 50_000;

/** Declares the tests of one program; `isComplete` says whether what it needs beside itself is there, too. */
export function judgedBy(
  program: string,
  debianPackage: string,
  declare: (run: RunJudge) => void,
  isComplete: () => boolean = () => true,
): void {
  const path = findProgram(program);
  if (path !== null && isComplete()) {
    describe(`judged by ${program}`, () => declare((words, options) => runProgram(path, words, options)));
    return;
  }
  const missing = `${program} of Debian's ${debianPackage} is not installed`;
  if (process.env.CI === 'true') {
    test(`judged by ${program}`, () => {
      throw new Error(missing);
    });
  } else {
    process.stderr.write(`skipped: ${missing}\n`);
    test.skip(`judged by ${program}`, () => {});
  }
}

function findProgram(program: string): string | null {
  if (program.startsWith('/')) return existsSync(program) ? program : null;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder !== '' && existsSync(path)) return path;
  }
  return null;
}

function runProgram(path: string, words: readonly string[], options: JudgeOptions = {}): Promise<JudgeRun> {
  const { promise, resolve, reject } = Promise.withResolvers<JudgeRun>();
  const child = spawn(path, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: JUDGE_MS,
    killSignal: 'SIGKILL',
  });
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part: Buffer) => {
    stderr += part.toString();
  });
  child.once('error', reject);
  child.once('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr }));
  // It may end without having read all of it.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  return promise;
}
