using System.Diagnostics;
using System.Globalization;

namespace ThreatFeeds.Benchmarks;

/// <summary>One of the things that are compared. Only <paramref name="RunAsync"/> is timed.</summary>
internal sealed record Way(string Name, Func<Task> RunAsync)
{
    public Func<Task> BeforeAsync { get; init; } = () => Task.CompletedTask;
    public Func<Task> AfterAsync { get; init; } = () => Task.CompletedTask;
}

/// <summary>
/// Times things in turn, so that whatever else the machine does falls on all of them alike: what is said is the median of the ratios of each round, and the
/// least and the greatest of them. BenchmarkDotNet, which times one after the other, serves for what takes less than milliseconds.
/// </summary>
internal static class Turns
{
    /// <summary>Writes one line a way, as rows of a Markdown table.</summary>
    /// <param name="peer">What the others are compared with.</param>
    public static async Task CompareAsync(int rounds, Way peer, params Way[] ways)
    {
        Way[] all = [peer, .. ways];
        var times = new List<double>[all.Length];
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < all.Length; i++)
            {
                await all[i].BeforeAsync();
                GC.Collect();
                GC.WaitForPendingFinalizers();
                long start = Stopwatch.GetTimestamp();
                await all[i].RunAsync();
                double took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                await all[i].AfterAsync();
                times[i] ??= [];
                if (round > 0)
                {
                    times[i].Add(took);
                }
            }
        }
        for (int i = 0; i < all.Length; i++)
        {
            double[] ratios = [.. times[i].Zip(times[0], (mine, peers) => mine / peers).Order()];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {all[i].Name} | {Median(times[i]):0} ms | {Median(ratios):0.00} ({ratios[0]:0.00}–{ratios[^1]:0.00}) |"));
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
