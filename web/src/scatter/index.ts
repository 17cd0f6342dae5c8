export { ScatterTab } from "./ScatterTab";
