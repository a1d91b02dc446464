/** Problems between objects of the model, as the refusal that the API answers with. */
import { ApiError } from '#core/contract/errors.ts';
import type { ModelProblem } from '#core/model/compile.ts';

/** Throws when there are problems. `subject` names the object, such as `site "shop"`. */
export function refuseProblems(subject: string, problems: readonly ModelProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const code = problems.some((problem) => problem.code === 'conflict') ? 'conflict' : 'invalid';
  throw new ApiError(
    code,
    `${subject}: ${first.path}: ${first.message}`,
    problems.map(({ path, message }) => ({ path, message })),
  );
}
