using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>The executable as it is shipped, in a process of its own that can be killed.</summary>
internal sealed class LiveProcess : IDisposable
{
    private static readonly TimeSpan s_longestStart = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri?> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LiveProcess(Process process) => _process = process;

    /// <summary>Where the build of these tests left it.</summary>
    public static string Executable { get; } = Path.Combine(
        SharedData.RepositoryRoot, "artifacts", "bin", "ThreatFeeds.Api", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
        OperatingSystem.IsWindows() ? "threatfeeds.exe" : "threatfeeds");

    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts on a free port.</summary>
    public static LiveProcess Start(params string[] arguments) => Start(new ProcessStartInfo(Executable, [.. arguments, "--urls", "http://127.0.0.1:0"]));

    /// <summary>Starts what is told, which must end in the executable.</summary>
    public static LiveProcess Start(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.WorkingDirectory = start.WorkingDirectory.Length > 0 ? start.WorkingDirectory : Path.GetTempPath();
        var live = new LiveProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        live._process.OutputDataReceived += live.Hear;
        live._process.ErrorDataReceived += live.Hear;
        live._process.Exited += (_, _) => live._listening.TrySetResult(null);
        live._process.Start();
        live._process.BeginOutputReadLine();
        live._process.BeginErrorReadLine();
        return live;
    }

    /// <summary>The address once it listens; null when it ended before.</summary>
    public Task<Uri?> ListeningAsync() => _listening.Task.WaitAsync(s_longestStart, TimeProvider.System);

    /// <summary>Waits until it has written so many lines, or has ended.</summary>
    public async Task SaidAsync(int lines)
    {
        using var limit = new CancellationTokenSource(s_longestStart);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!_process.HasExited && Output.AsSpan().Count('\n') < lines)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(s_longestStart, TimeProvider.System);
        return _process.ExitCode;
    }

    /// <summary>SIGTERM: it is told to end.</summary>
    public void Terminate()
    {
        using Process kill = Process.Start("/bin/kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>SIGKILL: it gets no chance to put anything in order.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        _process.Dispose();
    }

    private void Hear(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is null)
        {
            return;
        }
        lock (_output)
        {
            _output.AppendLine(e.Data);
        }
        if (Regex.Match(e.Data, @"Now listening on: (http://\S+)") is { Success: true } match)
        {
            _listening.TrySetResult(new Uri(match.Groups[1].Value));
        }
    }
}
