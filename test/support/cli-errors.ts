import { CliError } from '../../src/cli/client.ts';

/** The message of the failure that the call must end in, with this exit code. */
export async function isCliError(call: Promise<unknown>, exitCode: number): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCode) return error.message;
    throw error;
  }
  throw new Error(`the call was accepted, but should have failed with ${exitCode}`);
}
