/** More than this at once would make the first wait for the last. */
const AT_ONCE_MAX = 64;

type Waiting<Question, Answer> = { question: Question; resolve: (answer: Answer) => void; reject: (error: unknown) => void };

/**
 * Asks at once when nothing is under way; what comes meanwhile goes together with the next. So a busy process asks once for many, and no answer is
 * older than its question. `ask` answers in the order of the questions.
 */
export function gathering<Question, Answer>(ask: (questions: Question[]) => Promise<Answer[]>): (question: Question) => Promise<Answer> {
  const queue: Waiting<Question, Answer>[] = [];
  let isAsking = false;

  async function askQueued(): Promise<void> {
    isAsking = true;
    while (queue.length > 0) {
      const batch = queue.splice(0, AT_ONCE_MAX);
      try {
        const answers = await ask(batch.map(({ question }) => question));
        if (answers.length !== batch.length) throw new Error(`Invariant broken: ${answers.length} answers to ${batch.length} questions`);
        batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isAsking = false;
  }

  return (question) => new Promise((resolve, reject) => {
    queue.push({ question, resolve, reject });
    if (!isAsking) void askQueued();
  });
}
