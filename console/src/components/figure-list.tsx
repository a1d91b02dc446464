/** Names and values in two columns. */
import type { ReactNode } from 'react';
import classes from './figure-list.module.css';

export function FigureList(props: { readonly figures: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={classes.list}>
      {props.figures.map(([name, value]) => (
        <div key={name} className={classes.figure}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
