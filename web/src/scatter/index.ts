export { ScatterTab } from './ScatterTab';
