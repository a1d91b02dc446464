/** The way around: at the side on wide screens, at the bottom on narrow ones. */
import AdjustmentsIcon from '@heroicons/react/24/outline/AdjustmentsHorizontalIcon';
import GlobeIcon from '@heroicons/react/24/outline/GlobeAltIcon';
import SearchIcon from '@heroicons/react/24/outline/MagnifyingGlassCircleIcon';
import ServerIcon from '@heroicons/react/24/outline/ServerStackIcon';
import SitesIcon from '@heroicons/react/24/outline/WindowIcon';
import { Link, useLocation } from 'wouter';
import classes from './shell.module.css';

const PLACES = [
  { path: '/', name: 'Overview', Icon: GlobeIcon },
  { path: '/sites', name: 'Sites', Icon: SitesIcon },
  { path: '/pops', name: 'POPs', Icon: ServerIcon },
  { path: '/explain', name: 'Explain', Icon: SearchIcon },
  { path: '/status', name: 'Status', Icon: AdjustmentsIcon },
] as const;

export function Navigation() {
  const [location] = useLocation();
  return (
    <div className={classes.navigation}>
      {PLACES.map(({ path, name, Icon }) => {
        const isHere = path === '/' ? location === '/' : location.startsWith(path);
        return (
          <Link
            key={path}
            href={path}
            className={classes.place}
            data-here={isHere}
            aria-current={isHere ? 'page' : undefined}
          >
            <Icon className={classes.placeIcon} aria-hidden="true" />
            {name}
          </Link>
        );
      })}
    </div>
  );
}
