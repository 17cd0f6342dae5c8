import classes from "./Logo.module.css";

export function Logo() {
  return (
    <span className={classes.logo}>
      <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#1864ab" />
        <path d="M7 10h12M7 16h18M7 22h8" stroke="#fff" strokeWidth="3.5" strokeLinecap="round" />
      </svg>
      <span className={classes.name}>Procession</span>
    </span>
  );
}
