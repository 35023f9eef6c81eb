/// A fault of this page itself: said, with a way out, instead of a white screen.
import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { Notice } from "../ui/notice";

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    // After an update of the server the parts that this page would load are gone: the new page is what helps.
    const outdated = /dynamically imported module|module script/i.test(error.message);
    return (
      <main style={{ maxWidth: "40rem", margin: "15vh auto", padding: "0 1rem" }}>
        <Notice
          tone="bad"
          title={outdated ? "There is a newer version of this page" : "This page has a fault"}
          acts={
            <>
              <Button onClick={() => window.location.reload()}>Load it again</Button>
              <Button variant="default" component="a" href="/">
                Go to the start
              </Button>
            </>
          }
          fine={outdated ? null : <span className="mono">{error.message}</span>}
        >
          {outdated ? "Load it again to go on." : "Nothing that you had sent is lost. Load the page again; if it happens again, report the line below."}
        </Notice>
      </main>
    );
  }
}
