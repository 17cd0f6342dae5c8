export { ProcessPanel } from './ProcessPanel';
