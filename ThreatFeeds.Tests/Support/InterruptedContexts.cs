using System.Runtime.ExceptionServices;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Tests.Support;

/// <summary>
/// Contexts of a database on which somebody else writes in between: before one of them is made, a write of the test's own is carried out to its end.
/// So a test says which of two writers comes first, without threads that race.
/// </summary>
internal sealed class InterruptedContexts(IContextFactory inner) : IContextFactory
{
    private Func<Task>? _write;
    private int _left;

    /// <summary>Whether the write was carried out.</summary>
    public bool Interrupted { get; private set; }

    /// <summary>No context can be made: the database is away.</summary>
    public bool Away { get; set; }

    /// <summary>Contexts that were asked for while the database was away.</summary>
    public int Refused { get; private set; }

    /// <param name="at">Which of the contexts made from now on waits for the write; the first is 1.</param>
    public void Interrupt(int at, Func<Task> write) => (_left, _write) = (at, write);

    public ThreatFeedsContext Create()
    {
        if (Away)
        {
            Refused++;
            throw new InvalidOperationException("The database is away.");
        }
        if (_write is { } write && --_left == 0)
        {
            _write = null;
            // On a thread of its own, since whoever asks for a context cannot await.
            Task written = Task.Run(write);
            var thread = new Thread(() => ((IAsyncResult)written).AsyncWaitHandle.WaitOne());
            thread.Start();
            thread.Join();
            if (written.Exception?.InnerException is { } problem)
            {
                // What the test asserted in between must fail it.
                ExceptionDispatchInfo.Throw(problem);
            }
            Interrupted = true;
        }
        return inner.Create();
    }

    public Task MigrateAsync(CancellationToken cancellationToken) => inner.MigrateAsync(cancellationToken);
}
