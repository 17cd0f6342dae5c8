export { GraphsTab } from "./GraphsTab";
