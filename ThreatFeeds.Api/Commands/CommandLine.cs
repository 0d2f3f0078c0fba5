using System.CommandLine;
using System.Runtime.InteropServices;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Logs;

namespace ThreatFeeds.Api.Commands;

/// <summary>What the executable understands. Exit status 2 is a command line, a setting or a place that cannot work, told on standard error.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        ParseResult parsed = Create().Parse(args);
        // Signals are the host's: the library would end the process two seconds after one, whatever is under way.
        int status = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
        // The library says 1 here, which the scan keeps for "no hits".
        return parsed.Errors.Count > 0 ? 2 : status;
    }

    /// <summary>Serving is what happens without a command; other commands are added here.</summary>
    internal static RootCommand Create()
    {
        var demo = new Option<bool>("--demo") { Description = "Start with sample feeds and sample logs, in the folder data-demo." };
        var data = new Option<string?>("--data") { Description = "Folder for everything kept (Data:Directory; default: data).", HelpName = "DIR" };
        var urls = new Option<string?>("--urls") { Description = $"Address to listen on (default: {HttpOptions.DefaultUrl}).", HelpName = "URL" };
        var set = new Option<string[]>("--set") { Description = "Any setting, such as --set Data:RetentionDays=3.", HelpName = "KEY=VALUE" };
        set.Validators.Add(given =>
        {
            foreach (string setting in given.Tokens.Select(t => t.Value))
            {
                int end = setting.IndexOf('=', StringComparison.Ordinal);
                if (end < 1)
                {
                    given.AddError($"--set takes KEY=VALUE, not '{setting}'.");
                }
                else if ((SettingKeys.Problem(setting[..end]) ?? SettingKeys.SecretProblem(setting[..end], setting[(end + 1)..])) is { } problem)
                {
                    given.AddError(problem);
                }
            }
        });
        var root = new RootCommand("ThreatFeeds finds bad addresses and names in DNS and flow logs, and says which pod it was.") { demo, data, urls, set };
        root.SetAction((parsed, cancellationToken) => ServeAsync(
            HostArguments(parsed.GetValue(demo), parsed.GetValue(data), parsed.GetValue(urls), parsed.GetValue(set) ?? []), cancellationToken));
        return root;
    }

    private static string[] HostArguments(bool demo, string? data, string? urls, string[] set)
    {
        var arguments = new List<string>();
        arguments.AddRange(set.Select(s => "--" + s));
        if (demo)
        {
            arguments.Add("--Demo=true");
        }
        if (data is not null)
        {
            arguments.Add("--Data:Directory=" + data);
        }
        if (urls is not null)
        {
            arguments.Add("--urls=" + urls);
        }
        return [.. arguments];
    }

    private static async Task<int> ServeAsync(string[] arguments, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsWindows())
        {
            FolderAccess.KeepNewFilesPrivate();
        }
        // The host listens to these once it has started; what comes before that may take long, and must end in order as well.
        using var told = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using PosixSignalRegistration terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using PosixSignalRegistration interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            told.Cancel();
        }
        try
        {
            await using WebApplication app = ThreatFeedsHost.Build(arguments, services => EarlyEnd.Add(services, told.Token));
            await app.Services.GetRequiredService<DatabaseMigration>().StartingAsync(told.Token);
            await app.RunAsync(told.Token);
            return 0;
        }
        catch (OperationCanceledException) when (told.IsCancellationRequested)
        {
            return 0;
        }
        catch (SettingsException problem)
        {
            await System.Console.Error.WriteLineAsync("threatfeeds: " + problem.Message);
            return 2;
        }
        catch (Exception problem) when (UnusableDatabase.Describe(problem) is { } words)
        {
            await System.Console.Error.WriteLineAsync("threatfeeds: " + words);
            return 2;
        }
        catch (LogStoreException problem)
        {
            // Its folder is damaged, or written by a newer version.
            await System.Console.Error.WriteLineAsync("threatfeeds: " + problem.Message);
            return 2;
        }
        catch (IOException problem) when (problem.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            await System.Console.Error.WriteLineAsync($"threatfeeds: {problem.Message} Choose another address with --urls.");
            return 2;
        }
    }
}
