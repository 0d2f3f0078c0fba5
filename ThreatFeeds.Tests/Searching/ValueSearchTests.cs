using System.Reflection;
using ThreatFeeds.Indicators;
using ThreatFeeds.Logs;
using ThreatFeeds.Searching;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Searching;

public sealed class ValueSearchTests
{
    [Fact]
    public async Task A_search_stops_in_the_middle_of_a_record_with_very_many_values()
    {
        using var stop = new CancellationTokenSource();
        ILogStore logs = DispatchProxy.Create<ILogStore, OneRecord>();
        ((OneRecord)(object)logs).Read = stop.Cancel;
        var search = new ValueSearch(IndicatorIndex.Build([]), only: null);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            search.RunAsync(logs, new LogSource("s", "s", LogKind.Dns), Position.BeforeAll, new Position(1, 0), new SearchWindow(10, 10), stop.Token));
    }

    /// <summary>A store of one record, which tells when it was read.</summary>
    public class OneRecord : DispatchProxy
    {
        internal Action Read { get; set; } = () => { };

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Assert.Equal(nameof(ILogStore.ReadValuesAsync), targetMethod?.Name);
            var batch = new ValueBatch();
            batch.Begin(new Position(1, 0));
            for (int i = 0; i < 100_000; i++)
            {
                batch.Add(HitField.RecordData, "n.example"u8);
            }
            Read();
            try
            {
                ((Func<ValueBatch, bool>)args![4]!)(batch);
                return Task.FromResult(batch.Last);
            }
            catch (OperationCanceledException e)
            {
                return Task.FromException<Position>(e);
            }
        }
    }
}
