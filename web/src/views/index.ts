export { SavedViews } from "./SavedViews";
