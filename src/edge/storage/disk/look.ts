/** How a disk is looked into: whether it counts as a use, and whether the disk may be waited for. */
export interface Look {
  readonly isUse: boolean;
  readonly mayWait: boolean;
}

export const USE: Look = { isUse: true, mayWait: true };
export const USE_AT_ONCE: Look = { isUse: true, mayWait: false };
export const PEEK: Look = { isUse: false, mayWait: true };
