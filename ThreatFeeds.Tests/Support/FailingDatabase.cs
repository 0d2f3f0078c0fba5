using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Tests.Support;

/// <summary>
/// A layer under the rooms: transactions fail at their commit, before anything of them is there or (a lost answer) after all of it is.
/// Only commits made through it count.
/// </summary>
internal sealed class FailingDatabase : DbTransactionInterceptor
{
    private readonly Lock _lock = new();
    private int _every;
    private int _commits;
    private bool _next;
    private bool _nextAway;
    private bool _away;

    /// <summary>Commits that failed.</summary>
    public int Failed { get; private set; }

    /// <summary>The database with these failures.</summary>
    public IContextFactory Wrap(TestDatabase database) => InterceptedDatabase.Of(database, this);

    /// <param name="away">The error says that it may go well when tried again.</param>
    public void FailNextCommit(bool away = false)
    {
        lock (_lock)
        {
            (_next, _nextAway) = (true, away);
        }
    }

    /// <summary>While true nothing is committed, and errors say that it may be when tried again.</summary>
    public bool Away
    {
        set
        {
            lock (_lock)
            {
                _away = value;
            }
        }
    }

    /// <summary>From now on each n-th commit fails, in turn before and after it took place; 0: none.</summary>
    public void FailEvery(int n)
    {
        lock (_lock)
        {
            _every = n;
            _next = false;
        }
    }

    public override ValueTask<InterceptionResult> TransactionCommittingAsync(
        DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        if (Fails(out bool after, out bool away))
        {
            if (after)
            {
                transaction.Commit();
            }
            throw new Failure(away);
        }
        return ValueTask.FromResult(result);
    }

    private bool Fails(out bool after, out bool away)
    {
        lock (_lock)
        {
            bool fails = _away || _next || (_every > 0 && ++_commits % _every == 0);
            after = !_away && !_next && fails && Failed % 2 == 1;
            away = _away || (_next && _nextAway);
            _next = false;
            Failed += fails ? 1 : 0;
            return fails;
        }
    }

    /// <summary>What a database that went away looks like.</summary>
    internal sealed class Failure(bool away) : DbException("The connection is lost.")
    {
        public override bool IsTransient => away;
    }
}
