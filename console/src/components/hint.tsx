/**
 * A term with its definition, shown when it is pointed at or focused. Kept as small as this, because the
 * library's tooltip with its positioning would be a twentieth of the first load.
 */
import { type ReactNode, useId } from 'react';
import classes from './hint.module.css';

export function Hint(props: { readonly text: string; readonly children: ReactNode }) {
  const id = useId();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the definition is shown on focus as it is on hover
    <span className={classes.term} tabIndex={0} aria-describedby={id}>
      <span>{props.children}</span>
      <span role="tooltip" id={id} className={classes.definition}>
        {props.text}
      </span>
    </span>
  );
}
