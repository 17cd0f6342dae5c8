export { CompareTab } from "./CompareTab";
