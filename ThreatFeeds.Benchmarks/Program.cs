using System.Reflection;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using ThreatFeeds.Benchmarks;
using ThreatFeeds.Benchmarks.Alerts;
using ThreatFeeds.Benchmarks.Sets;

switch (args)
{
    case ["turns", "store"]:
        await StoringTurns.RunAsync();
        break;
    case ["turns", "pull", .. var file]:
        await PullingTurns.RunAsync(file.FirstOrDefault());
        break;
    case ["turns", "index"]:
        await IndexTurns.RunAsync();
        break;
    case ["turns", "hits", .. var database]:
        await HitTurns.RunAsync(database.FirstOrDefault());
        break;
    case ["turns", "warm"]:
        await WarmUp.RunAsync();
        break;
    default:
        // Each run is built anew, which takes longer than the default allows where other work goes on; what it leaves goes where all that is built goes.
        BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(
            args, ManualConfig.Create(DefaultConfig.Instance).WithBuildTimeout(TimeSpan.FromMinutes(15)).WithArtifactsPath(Path.Combine("artifacts", "benchmarks")));
        break;
}
