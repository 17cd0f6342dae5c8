export { ProcessPanel } from "./ProcessPanel";
