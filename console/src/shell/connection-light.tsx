/** The light beside the zone: whether figures are live. */
import type { Connection } from '../api/connection.ts';
import classes from './shell.module.css';

const WORDS = { connecting: 'Connecting', live: 'Live', lost: 'Not live' } as const;

export function ConnectionLight({ connection }: { readonly connection: Connection }) {
  return (
    <span className={classes.light} data-state={connection.state} title="Figures refresh every two seconds">
      {WORDS[connection.state]}
    </span>
  );
}
