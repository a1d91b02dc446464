/** How the public cache suite scores a run: pure functions over its tests and results. */

export type Kind = 'required' | 'optimal' | 'check';

export interface SuiteTest {
  readonly id: string;
  readonly suite: string;
  readonly kind: Kind;
  readonly dependsOn: readonly string[];
}

/** What the suite's client prints: true, or the name and message of what went wrong. */
export type SuiteResults = Readonly<Record<string, true | readonly [name: string, message: string]>>;

export type Outcome = 'pass' | 'fail' | 'dependency' | 'setup' | 'untested';

export interface Verdict {
  readonly test: SuiteTest;
  readonly outcome: Outcome;
  readonly message: string;
}

/** The suite's own format, as far as it is read here. */
interface RawSuite {
  readonly id: string;
  readonly tests: readonly {
    readonly id: string;
    readonly kind?: Kind;
    readonly depends_on?: readonly string[];
    readonly browser_only?: boolean;
  }[];
}

/** The tests that apply to a reverse proxy, each once. */
export function testsOf(suites: readonly RawSuite[]): SuiteTest[] {
  const tests = new Map<string, SuiteTest>();
  for (const suite of suites) {
    for (const test of suite.tests) {
      if (test.browser_only === true) continue;
      const { id, kind = 'required', depends_on: dependsOn = [] } = test;
      tests.set(id, { id, suite: suite.id, kind, dependsOn });
    }
  }
  return [...tests.values()];
}

/** A test counts only if everything it depends on passed: one root failure is not shown as forty. */
export function judge(tests: readonly SuiteTest[], results: SuiteResults): Verdict[] {
  const byId = new Map(tests.map((test) => [test.id, test]));
  const verdicts = new Map<string, Verdict>();
  const verdictOf = (test: SuiteTest): Verdict => {
    const known = verdicts.get(test.id);
    if (known !== undefined) return known;
    const verdict = { test, ...outcomeOf(test) };
    verdicts.set(test.id, verdict);
    return verdict;
  };
  const outcomeOf = (test: SuiteTest): { outcome: Outcome; message: string } => {
    const result = results[test.id];
    if (result === undefined) return { outcome: 'untested', message: 'no result' };
    for (const id of test.dependsOn) {
      const dependency = byId.get(id);
      if (dependency !== undefined && verdictOf(dependency).outcome !== 'pass') {
        return { outcome: 'dependency', message: `depends on ${id}` };
      }
    }
    if (result === true) return { outcome: 'pass', message: '' };
    return { outcome: result[0] === 'Setup' ? 'setup' : 'fail', message: `${result[0]}: ${result[1]}` };
  };
  return tests.map(verdictOf);
}

/** Of two runs, what passed in either. */
export function better(one: readonly Verdict[], other: readonly Verdict[]): Verdict[] {
  return one.map((verdict, index) => {
    const second = other[index];
    return verdict.outcome !== 'pass' && second?.outcome === 'pass' ? second : verdict;
  });
}

/** `required N/M optimal N/M check-yes N/M` */
export function scoreLine(verdicts: readonly Verdict[]): string {
  const count = (kind: Kind) => {
    const ofKind = verdicts.filter((verdict) => verdict.test.kind === kind);
    return `${ofKind.filter((verdict) => verdict.outcome === 'pass').length}/${ofKind.length}`;
  };
  return `required ${count('required')} optimal ${count('optimal')} check-yes ${count('check')}`;
}
