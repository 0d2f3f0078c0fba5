using Microsoft.EntityFrameworkCore;
using ThreatFeeds.Storage;
using ThreatFeeds.Tests.EndToEnd;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Storage;

public sealed class SqliteWriteQueueTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_writer_gets_its_turn_beside_one_that_never_pauses(bool transaction)
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        using var enough = new CancellationTokenSource();
        int written = 0;
        Task busy = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                await WriteAsync(database.Factory, transaction: true);
                Interlocked.Increment(ref written);
            }
        });
        await LiveServer.UntilAsync(() => Task.FromResult(Volatile.Read(ref written) > 0), TimeSpan.FromSeconds(30), () => "nothing was written");
        var passed = new List<int>();
        for (int i = 0; i < 20; i++)
        {
            int before = Volatile.Read(ref written);
            await WriteAsync(database.Factory, transaction);
            passed.Add(Volatile.Read(ref written) - before);
        }
        await enough.CancelAsync();
        await busy;
        // Those that went in while this one came to the queue; polling lets hundreds pass. A busy machine may delay a few of the twenty.
        Assert.InRange(passed.Order().ElementAt(passed.Count / 2), 0, 30);
    }

    [Fact]
    public async Task A_transaction_given_up_lets_the_next_writer_in()
    {
        await using TestDatabase database = await TestDatabase.CreateAsync(StorageProvider.Sqlite);
        await using (ThreatFeedsContext db = database.Factory.Create())
        {
            await using var unfinished = await db.Database.BeginTransactionAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => db.InsertManyAsync("no_such_table", ["Id"], [[1L]], "", default));
        }
        await WriteAsync(database.Factory, transaction: true).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
    }

    private static async Task WriteAsync(IContextFactory contexts, bool transaction)
    {
        await using ThreatFeedsContext db = contexts.Create();
        if (transaction)
        {
            await using var one = await db.Database.BeginTransactionAsync();
            await db.Progress.ExecuteUpdateAsync(u => u.SetProperty(p => p.Generation, 1));
            await one.CommitAsync();
        }
        else
        {
            await db.Progress.ExecuteUpdateAsync(u => u.SetProperty(p => p.Generation, 1));
        }
    }
}
