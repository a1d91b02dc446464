/** Perigee's mark, an orbit with the point where it is nearest, and its name. */
import favicon from '../assets/favicon.svg';
import classes from './shell.module.css';

export function Logo(props: { readonly size?: number }) {
  const size = props.size ?? 28;
  return (
    <span className={classes.logo} style={{ fontSize: size * 0.62 }}>
      <img src={favicon} width={size} height={size} alt="" />
      Perigee
    </span>
  );
}
