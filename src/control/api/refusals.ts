/** From errors to answers: one body for every refusal, and nothing of our insides in it. */
import { APP_ERROR_CODES, AppError, type AppErrorCode } from '#core/base/app-error.ts';
import { ApiError, ERROR_DETAILS_MAX, type ErrorBody, type ErrorDetail } from '#core/contract/errors.ts';
import type { Logger } from '#platform/log.ts';

/** Characters of a message that repeats what a client sent; longer ones are cut. */
const MESSAGE_CHARACTERS_MAX = 1_000;

export interface Refusal {
  readonly status: number;
  readonly body: ErrorBody;
}

/** An operating error as it is; anything else is ours: logged, and answered without its words. */
export function toRefusal(error: unknown, log: Logger): Refusal {
  if (error instanceof AppError) {
    return refusal(error.code, error.message, error instanceof ApiError ? error.details : []);
  }
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error({ cause }, 'a request failed for a reason of our own');
  return refusal('internal', 'the control plane failed on this request; its log has the reason');
}

export function refusal(
  code: AppErrorCode,
  message: string,
  details: readonly ErrorDetail[] = [],
  status: number = APP_ERROR_CODES[code].httpStatus,
): Refusal {
  const error = { code, message: cut(message) };
  const some = details
    .slice(0, ERROR_DETAILS_MAX)
    .map(({ path, message: text }) => ({ path, message: cut(text) }));
  return { status, body: { error: some.length === 0 ? error : { ...error, details: some } } };
}

function cut(text: string): string {
  return text.length <= MESSAGE_CHARACTERS_MAX ? text : `${text.slice(0, MESSAGE_CHARACTERS_MAX)}…`;
}
