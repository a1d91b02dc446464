/** A share as a bar; the figure stands beside it in words. */
import classes from './share-bar.module.css';

export function ShareBar(props: { readonly share: number; readonly color?: string }) {
  const percent = Math.min(100, Math.max(0, props.share * 100));
  return (
    <div className={classes.track} aria-hidden="true">
      <div
        className={classes.bar}
        style={{ width: `${percent}%`, background: props.color ?? 'var(--cache)' }}
      />
    </div>
  );
}
