using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using ThreatFeeds.Api.Hosting;
using Xunit;

namespace ThreatFeeds.Tests.Hosting;

/// <summary>What others chose forges no line of the log, whichever logger writes it and in whichever format.</summary>
public sealed class VisibleLogTests
{
    private const string Hostile = "x\r\nwarn: Forged[1]\n      all is well\u001b[2K\u202e";
    private const string Shown = @"x\u000d\u000awarn: Forged[1]\u000a      all is well\u001b[2K\u202e";

    [Theory]
    [InlineData(ConsoleFormatterNames.Simple, false)]
    [InlineData(ConsoleFormatterNames.Simple, true)]
    [InlineData(ConsoleFormatterNames.Systemd, false)]
    public void A_line_break_or_escape_sequence_in_a_message_a_scope_or_an_exception_is_shown_as_such(string format, bool singleLine)
    {
        string text = Write(format, singleLine, Hostile, Thrown(Hostile), Hostile);
        Assert.Equal(3, text.Split(Shown).Length - 1);
        Assert.DoesNotContain('\u001b', text);
        Assert.DoesNotContain('\u202e', text);
        Assert.DoesNotContain('\r', text);
        string[] lines = text.TrimEnd('\n').Split('\n');
        Assert.All(lines[1..], l => Assert.StartsWith("      ", l, StringComparison.Ordinal));
    }

    [Fact]
    public void A_stack_trace_keeps_its_lines_each_set_in()
    {
        string[] lines = Write(ConsoleFormatterNames.Simple, false, "It failed.", Thrown("Outer", Thrown(Hostile)), "scope").TrimEnd('\n').Split('\n');
        Assert.StartsWith("fail: ThreatFeeds.Test[7]", lines[0], StringComparison.Ordinal);
        Assert.All(lines[1..], l => Assert.StartsWith("      ", l, StringComparison.Ordinal));
        Assert.Contains("      It failed.", lines);
        Assert.Equal(2, lines.Count(l => l.StartsWith("         at ThreatFeeds.Tests.Hosting.VisibleLogTests.Thrown", StringComparison.Ordinal)));
        Assert.Single(lines, l => l.Contains(Shown, StringComparison.Ordinal));
    }

    [Fact]
    public void Json_keeps_its_members_and_shows_what_hides_in_them()
    {
        string text = Write(ConsoleFormatterNames.Json, false, Hostile, Thrown(Hostile), Hostile);
        JsonNode line = JsonNode.Parse(Assert.Single(text.TrimEnd('\n').Split('\n')))!;
        Assert.Equal($"It said {Shown} 3 times", line["Message"]!.GetValue<string>());
        Assert.Equal(Shown, line["State"]!["Said"]!.GetValue<string>());
        Assert.Equal(3, line["State"]!["Times"]!.GetValue<int>());
        Assert.Equal("It said {Said} {Times} times", line["State"]!["{OriginalFormat}"]!.GetValue<string>());
        Assert.Contains(Shown, line["Exception"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(line["Scopes"]!.AsArray(), s => s is JsonObject members && members["Of"]?.GetValue<string>() == Shown);
    }

    private static InvalidOperationException Thrown(string message, Exception? inner = null)
    {
        try
        {
            throw new InvalidOperationException(message, inner);
        }
        catch (InvalidOperationException e)
        {
            return e;
        }
    }

    private static string Write(string format, bool singleLine, string said, Exception exception, string scope)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging
            .AddSimpleConsole(o => (o.IncludeScopes, o.SingleLine, o.ColorBehavior) = (true, singleLine, LoggerColorBehavior.Disabled))
            .AddSystemdConsole(o => o.IncludeScopes = true).AddJsonConsole(o => o.IncludeScopes = true));
        VisibleLog.Add(services);
        using ServiceProvider provider = services.BuildServiceProvider();
        ConsoleFormatter formatter = Assert.Single(provider.GetServices<ConsoleFormatter>(), f => f.Name == format);
        var scopes = new LoggerExternalScopeProvider();
        using IDisposable pushed = scopes.Push(scope);
        using IDisposable members = scopes.Push(new Dictionary<string, object?> { ["Of"] = scope });
        using var text = new StringWriter { NewLine = "\n" };
        var log = new Relay((level, id, state, e, write) => formatter.Write(new LogEntry<object>(level, "ThreatFeeds.Test", id, state, e, (s, x) => write(s, x)), scopes, text));
        if (said == Hostile)
        {
#pragma warning disable CA1848, CA2254 // As somebody else's logger does it.
            log.Log(LogLevel.Error, new EventId(7), exception, "It said {Said} {Times} times", said, 3);
        }
        else
        {
            log.Log(LogLevel.Error, new EventId(7), exception, said);
        }
#pragma warning restore CA1848, CA2254
        return text.ToString();
    }

    private sealed class Relay(Action<LogLevel, EventId, object, Exception?, Func<object, Exception?, string>> write) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            write(logLevel, eventId, state!, exception, (s, e) => formatter((TState)s, e));
    }
}
