import { operationWord, storeWord } from "./words";

/// A state as a word with a dot.
export function State({ text, tone, moving }: { text: string; tone: string; moving?: boolean | undefined }) {
  return <span className={`state ${tone}${moving ? " moving" : ""}`}>{text}</span>;
}

export const StoreState = ({ status }: { status: string }) => <State {...storeWord(status)} />;
export const OperationState = ({ status }: { status: string }) => <State {...operationWord(status)} />;
