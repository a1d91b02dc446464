/** The light beside the zone: whether figures are live. */
import { Tooltip } from '@mantine/core';
import type { Connection } from '../api/connection.ts';
import classes from './shell.module.css';

const WORDS = { connecting: 'Connecting', live: 'Live', lost: 'Not live' } as const;

export function ConnectionLight({ connection }: { readonly connection: Connection }) {
  return (
    <Tooltip label="Figures refresh every two seconds">
      <span className={classes.light} data-state={connection.state}>
        {WORDS[connection.state]}
      </span>
    </Tooltip>
  );
}
