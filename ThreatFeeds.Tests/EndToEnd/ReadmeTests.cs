using System.Diagnostics;
using System.Text.RegularExpressions;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>The README's examples do what it says, as they stand there; only port and foreign address are put in.</summary>
public sealed class ReadmeTests
{
    private const string ForeignList = "https://raw.githubusercontent.com/stamparm/ipsum/master/levels/3.txt";

    [Fact]
    public async Task The_commands_of_the_README_work_as_they_stand()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(SharedData.RepositoryRoot, "README.md"));
        await using AppFixture app = await AppFixture.StartAsync("Pulling:AllowedNetworks=127.0.0.0/8");
        await using LoopbackServer foreign = await LoopbackServer.StartAsync();
        using var folder = new TemporaryFolder();
        var server = new LiveServer(app.Client);

        string manifest = Assert.Single(Blocks(readme, "yaml"), b => b.Contains("kind: GlobalThreatFeed", StringComparison.Ordinal));
        Assert.Contains(ForeignList, manifest, StringComparison.Ordinal);
        Uri list = foreign.Serve("/levels/3.txt", "# IPs\n198.51.100.7\n203.0.113.0/28\n");
        await WriteAsync("feed.yaml", manifest.Replace(ForeignList, list.ToString(), StringComparison.Ordinal));
        await WriteAsync("dns.log", LiveServer.DnsRecord("malware.example.net", 1) + "\n");
        await WriteAsync("flows.log", """{"start_time":1767322745,"end_time":1767323045,"source_ip":"10.0.0.7","source_name":"web-1","source_namespace":"shop","source_type":"wep","dest_ip":"203.0.113.9","dest_name":"-","dest_name_aggr":"pub","dest_type":"net","action":"allow"}""" + "\n");
        await WriteAsync(".curlrc", "fail-with-body\nsilent\nshow-error\n");

        string[] commands = [.. Blocks(readme, "sh").SelectMany(Commands).Where(c => c.StartsWith("curl ", StringComparison.Ordinal))];
        Assert.Equal(6, commands.Length);
        var answers = new Dictionary<string, string>();
        // The push is to a feed of its own, which the text calls for in words.
        await server.CreateAsync(LiveServer.Manifest("my-feed", "DomainNameSet"));
        foreach (string command in commands)
        {
            answers[command] = await RunAsync(folder.Path, command.Replace("localhost:5080", app.Address.Authority, StringComparison.Ordinal));
        }
        await server.WhenIdleAsync(TimeSpan.FromSeconds(30));

        string Answer(string of) => answers.Single(a => a.Key.Contains(of, StringComparison.Ordinal)).Value;
        Assert.Contains("\"accepted\":2", Answer("/preview"), StringComparison.Ordinal);
        Assert.Contains("\"accepted\":1,\"refused\":0", Answer("/v1/logs/dns"), StringComparison.Ordinal);
        Assert.Contains("\"accepted\":1,\"refused\":0", Answer("/v1/logs/flows"), StringComparison.Ordinal);
        Assert.Equal(["ipsum", "my-feed"], (await server.AlertsAsync()).SelectMany(a => a.GetProperty("feeds").EnumerateArray().Select(f => f.GetString())).Order());

        Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(folder.Path, name), text);
    }

    private static IEnumerable<string> Blocks(string text, string language) =>
        Regex.Matches(text, $@"^```{language}\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline).Select(m => m.Groups[1].Value);

    /// <summary>Lines, with those that end in a backslash joined to the next.</summary>
    private static IEnumerable<string> Commands(string block) =>
        block.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static async Task<string> RunAsync(string folder, string command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = folder;
        start.Environment["CURL_HOME"] = folder;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string answer = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        string said = answer + await error;
        Assert.True(process.ExitCode == 0, $"{command}\ndid not succeed: {said}");
        return answer;
    }
}
