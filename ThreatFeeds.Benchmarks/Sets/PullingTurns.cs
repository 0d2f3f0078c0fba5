using System.Diagnostics;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;

namespace ThreatFeeds.Benchmarks.Sets;

/// <summary>Pulling a list of a million names over loopback until it is searched with, beside Python's <c>sorted(set(lines))</c> of the same file.</summary>
internal static class PullingTurns
{
    private const int Names = 1_000_000, Rounds = 7;

    /// <param name="list">A list of names to pull; a generated one when null.</param>
    public static async Task RunAsync(string? list)
    {
        string file = list ?? Path.GetTempFileName();
        if (list is null)
        {
            await File.WriteAllLinesAsync(file, GeneratedNames.Make(Names, 7));
        }
        string python = await PythonAsync("python3", "import sys; print(sys.executable)");
        FeedWorld world = null!;
        Feed feed = null!;
        long found = 0;
        async Task StartAsync()
        {
            world = await FeedWorld.StartAsync();
            world.Body = file;
            feed = await world.CreateAsync("names");
        }
        await Turns.CompareAsync(
            Rounds,
            new Way("peer: Python's sorted(set(lines))", () => PythonAsync(python, "import sys; print(len(sorted(set(open(sys.argv[1])))))", file)),
            new Way("pull until searchable", async () => found = (await world.PullAsync(feed)).Index.Count)
            {
                BeforeAsync = StartAsync,
                AfterAsync = async () => await world.DisposeAsync(),
            },
            new Way("the same again with one line more", async () => found = (await world.PullAsync(feed)).Index.Count)
            {
                BeforeAsync = async () =>
                {
                    await StartAsync();
                    await world.PullAsync(feed);
                    world.Body = Path.GetTempFileName();
                    File.Copy(file, world.Body, overwrite: true);
                    await File.AppendAllTextAsync(world.Body, "one-more.example\n");
                },
                AfterAsync = async () =>
                {
                    File.Delete(world.Body);
                    await world.DisposeAsync();
                },
            });
        Console.WriteLine($"{found} names are searched for");
        if (list is null)
        {
            File.Delete(file);
        }
    }

    private static async Task<string> PythonAsync(string python, string code, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(python, ["-c", code, .. arguments]) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("The peer needs python3.");
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output.Trim();
    }
}
