using ThreatFeeds.Pushing;

namespace ThreatFeeds.Tests.Searching;

/// <summary>
/// The protocol of searching as a machine small enough to try every order of its steps: two sources, three generations, two
/// searchers, and a crash after any step. Values are a (listed by generation 1, removed by 2, listed again by 3) and b (listed by 2).
/// </summary>
internal sealed class ProtocolModel(bool openLookBacks, bool recordComparedGeneration)
{
    public const int Generations = 3;
    private const int Sources = 2;
    private const int Searchers = 2;

    /// <summary>The value of each record of each source.</summary>
    private static readonly char[][] Records = [['a', 'b'], ['a']];

    /// <summary>Listed at generation 0 to 3.</summary>
    private static readonly string[] Listed = ["", "a", "b", "ab"];

    /// <summary>What each generation added.</summary>
    private static readonly string[] Added = ["", "a", "b", "a"];

    /// <summary>A step under way: what it read, not yet committed.</summary>
    private readonly record struct Work(bool LookBack, int Source, int From, int To, int Generation, int Change, int Snapshot);

    private sealed class State
    {
        public int Generation;
        public readonly int[] Head = new int[Sources];
        public readonly int[] Mark = new int[Sources];
        public readonly int[] SearchedAt = new int[Sources];
        /// <summary>[change, source] to (done, upto); null when there is none.</summary>
        public readonly (int Done, int Upto)?[,] LookBacks = new (int, int)?[Generations + 1, Sources];
        public readonly bool[,] Hit = new bool[Sources, 2];
        public int Snapshot;
        public readonly Work?[] Busy = new Work?[Searchers];

        public State Clone()
        {
            var copy = new State { Generation = Generation, Snapshot = Snapshot };
            Array.Copy(Head, copy.Head, Sources);
            Array.Copy(Mark, copy.Mark, Sources);
            Array.Copy(SearchedAt, copy.SearchedAt, Sources);
            Array.Copy(LookBacks, copy.LookBacks, LookBacks.Length);
            Array.Copy(Hit, copy.Hit, Hit.Length);
            Array.Copy(Busy, copy.Busy, Searchers);
            return copy;
        }

        public string Key()
        {
            var key = new System.Text.StringBuilder();
            key.Append(Generation).Append(Snapshot).AppendJoin("", Head).AppendJoin("", Mark).AppendJoin("", SearchedAt);
            foreach ((int Done, int Upto)? row in LookBacks)
            {
                key.Append(row is { } r ? (char)('A' + (r.Done * 3) + r.Upto) : '-');
            }
            foreach (bool hit in Hit)
            {
                key.Append(hit ? '1' : '0');
            }
            // Searchers are alike: their order does not matter.
            foreach (string busy in Busy.Select(b => b?.ToString() ?? "").Order(StringComparer.Ordinal))
            {
                key.Append(busy);
            }
            return key.ToString();
        }
    }

    /// <summary>Tries every order; returns the states visited and the first violation found, or null.</summary>
    public (int States, string? Violation) Explore()
    {
        var seen = new HashSet<string>();
        var open = new Stack<State>();
        open.Push(new State());
        while (open.Count > 0)
        {
            State state = open.Pop();
            if (!seen.Add(state.Key()))
            {
                continue;
            }
            if (Violation(state) is { } violation)
            {
                return (seen.Count, violation);
            }
            foreach (State next in Next(state))
            {
                open.Push(next);
            }
        }
        return (seen.Count, null);
    }

    private IEnumerable<State> Next(State s)
    {
        for (int source = 0; source < Sources; source++)
        {
            if (s.Head[source] < Records[source].Length)
            {
                yield return With(s, n => n.Head[source]++);
            }
        }
        if (s.Generation < Generations)
        {
            yield return With(s, n => n.Generation++);
        }
        if (s.Snapshot < s.Generation)
        {
            yield return With(s, n => n.Snapshot = n.Generation);
        }
        // A crash forgets what is only in memory.
        if (s.Snapshot != 0 || Array.Exists(s.Busy, b => b is not null))
        {
            yield return With(s, n =>
            {
                n.Snapshot = 0;
                Array.Clear(n.Busy);
            });
        }
        for (int w = 0; w < Searchers; w++)
        {
            if (s.Busy[w] is { } work)
            {
                yield return With(s, n =>
                {
                    n.Busy[w] = null;
                    Commit(n, work);
                });
                continue;
            }
            foreach (Work begun in Begin(s))
            {
                yield return With(s, n => n.Busy[w] = begun);
            }
        }
    }

    private static IEnumerable<Work> Begin(State s)
    {
        for (int source = 0; source < Sources; source++)
        {
            int g0 = s.SearchedAt[source];
            if (s.Snapshot >= g0 && (s.Head[source] > s.Mark[source] || s.Snapshot > g0))
            {
                yield return new Work(false, source, s.Mark[source], s.Head[source], g0, 0, s.Snapshot);
            }
            for (int change = 1; change <= Generations; change++)
            {
                if (s.LookBacks[change, source] is { } row)
                {
                    // One record a window, so that look-backs stop half-way too.
                    yield return new Work(true, source, row.Done, Math.Min(row.Done + 1, row.Upto), 0, change, s.Generation);
                }
            }
        }
    }

    private void Commit(State n, Work work)
    {
        if (work.LookBack)
        {
            if (n.LookBacks[work.Change, work.Source] is not { } row || row.Done != work.From)
            {
                return;
            }
            n.LookBacks[work.Change, work.Source] = work.To >= row.Upto ? null : (work.To, row.Upto);
        }
        else
        {
            if (n.Mark[work.Source] != work.From || n.SearchedAt[work.Source] != work.Generation)
            {
                return;
            }
            n.Mark[work.Source] = work.To;
            n.SearchedAt[work.Source] = recordComparedGeneration ? work.Snapshot : n.Generation;
            for (int change = work.Generation + 1; openLookBacks && change <= work.Snapshot && work.From > 0; change++)
            {
                n.LookBacks[change, work.Source] = (0, work.From);
            }
        }
        for (int r = work.From; r < work.To; r++)
        {
            char value = Records[work.Source][r];
            n.Hit[work.Source, r] |= Listed[work.Snapshot].Contains(value) && (!work.LookBack || Added[work.Change].Contains(value));
        }
    }

    /// <summary>
    /// In every committed state: a record at or before the mark has been compared with every entry listed without a break since the
    /// generation it was searched at, except for the pairs of unfinished look-backs.
    /// </summary>
    private static string? Violation(State s)
    {
        for (int source = 0; source < Sources; source++)
        {
            for (int r = 0; r < s.Mark[source]; r++)
            {
                char value = Records[source][r];
                bool listed = Enumerable.Range(s.SearchedAt[source], s.Generation - s.SearchedAt[source] + 1).All(g => Listed[g].Contains(value));
                bool open = Enumerable.Range(1, Generations).Any(c => Added[c].Contains(value) && s.LookBacks[c, source] is { } row && r >= row.Done && r < row.Upto);
                if (listed && !s.Hit[source, r] && !open)
                {
                    return $"record {r} of source {source} ({value}) was passed over: {s.Key()}";
                }
            }
        }
        return null;
    }

    private static State With(State state, Action<State> change)
    {
        State next = state.Clone();
        change(next);
        return next;
    }
}
