using System.Diagnostics;
using System.Net;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using ThreatFeeds.Tests.House;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>What is published runs from any folder, for a user who is not the one who built it and has no home.</summary>
[SupportedOSPlatform("linux")]
public sealed class PublishedTests
{
    /// <summary>A group of nobody's.</summary>
    private const string VolumeGroup = "12345";

    /// <summary>The bits of a mode that let others than the owner in.</summary>
    private const int OfOthers = 0x3f;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task The_published_folder_serves_console_and_API_to_an_ordinary_user()
    {
        using var folder = new TemporaryFolder();
        string program = Path.Combine(folder.Path, "program"), data = Path.Combine(folder.Path, "data");
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        // What these tests were built with is only put together; a build of its own would take minutes.
        await RunAsync("dotnet", "publish", Path.Combine(Sources.Root, "ThreatFeeds.Api"), "-c", configuration, "-o", program, "--no-build", "-nologo", "-v", "q");
        Directory.CreateDirectory(data);
        File.SetUnixFileMode(data, (UnixFileMode)Convert.ToInt32("755", 8));
        await File.WriteAllTextAsync(Path.Combine(program, "appsettings.json"), """{"Cluster":{"Name":"published"}}""");
        // Whoever can write where it happens to be started has no say in it.
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "appsettings.json"), """{"Cluster":{"Name":"foreign"},"Http":{"AllowOpen":true,"AllowedHosts":"evil.example"}}""");
        // An ordinary user can only be had by root, as in continuous integration; else it is the user who runs the tests.
        bool root = Environment.IsPrivilegedProcess;
        if (root)
        {
            await RunAsync("chmod", "a+rx", folder.Path);
            await RunAsync("chmod", "-R", "a+rX", program);
            // As Kubernetes gives a volume to a process that is not root (fsGroup): root's, and the group may write.
            Directory.CreateDirectory(Path.Combine(data, "lost+found"));
            await RunAsync("chgrp", VolumeGroup, data);
            await RunAsync("chmod", "2775", data);
        }
        string executable = Path.Combine(program, "threatfeeds");
        string[] arguments = ["--data", data, "--urls", "http://127.0.0.1:0"];
        ProcessStartInfo start = root
            // It becomes the process, where su would stay before it and be killed alone.
            ? new("setpriv", ["--reuid", "nobody", "--regid", "nogroup", "--groups", VolumeGroup, executable, .. arguments])
            : new(executable, arguments);
        start.Environment.Remove("HOME");
        start.WorkingDirectory = folder.Path;
        using (LiveProcess process = LiveProcess.Start(start))
        {
            await ServesAsync(process);
            process.Terminate();
            Assert.Equal(0, await process.ExitAsync());
        }
        using LiveProcess again = LiveProcess.Start(start);
        Assert.True(await again.ListeningAsync() is not null, again.Output);
        // The folder is as it was, and what was put into it is for nobody else.
        Assert.Equal(root ? "2775" : "755", Convert.ToString((int)File.GetUnixFileMode(data), 8));
        Assert.Empty(Directory.EnumerateFileSystemEntries(data, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(f) != "lost+found" && ((int)File.GetUnixFileMode(f) & OfOthers) != 0));
    }

    private static async Task ServesAsync(LiveProcess process)
    {
        Uri? address = await process.ListeningAsync();
        Assert.True(address is not null, process.Output);
        using var client = new HttpClient { BaseAddress = address };

        string page = await client.GetStringAsync("/feeds");
        string[] files = [.. Regex.Matches(page, "(?:href|src)=\"([^\"#]+)\"").Select(m => m.Groups[1].Value).Where(f => f != "/").Distinct()];
        Assert.Contains(files, f => f.EndsWith(".css", StringComparison.Ordinal));
        Assert.Contains(files, f => f.EndsWith("blazor.web.js", StringComparison.Ordinal));
        foreach (string file in files)
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri(address, file));
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{file}: {answer.StatusCode}\n{process.Output}");
            Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync());
        }
        Assert.Contains("\"published\"", await client.GetStringAsync("/elasticsearch"), StringComparison.Ordinal);
        var server = new LiveServer(client);
        await server.CreateAsync(LiveServer.Manifest("bad", "DomainNameSet"));
        using HttpResponseMessage pushed = await client.PutAsync("/elasticsearch/.tigera.domainnameset.published/_doc/bad", new StringContent("""{"domains":["a.bad.example"]}"""));
        Assert.Equal(HttpStatusCode.Created, pushed.StatusCode);
        Assert.Equal(1, await server.PostLogsAsync("dns", [LiveServer.DnsRecord("a.bad.example", 1)]));
        await server.WhenIdleAsync(TimeSpan.FromSeconds(30));
        Assert.Single(await server.AlertsAsync());
    }

    private static async Task RunAsync(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // What the test runner's own build was told is not meant for this one.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) && k != "MSBUILDDISABLENODEREUSE").ToList())
        {
            start.Environment.Remove(name);
        }
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Bound, TimeProvider.System);
        Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)}\n{await output}{await error}");
    }
}
