import { PatchpanelError } from '../../src/runtime/errors.ts';

/**
 * Another scheduler leads now, or may: what this one wanted to write was not written, and nothing it decides counts
 * any more. What follows is for the owner of the store: stop acting, contend again.
 */
export class SupersededError extends PatchpanelError {
  constructor(why: string, cause?: unknown) {
    super('aborted', `this scheduler does not lead any more: ${why}`, { cause });
  }
}
