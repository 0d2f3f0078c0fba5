using System.Diagnostics;
using System.Net;
using Microsoft.Data.Sqlite;
using Npgsql;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.EndToEnd;

/// <summary>What the executable does when it cannot start, and what it does not take.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_data_folder_that_cannot_be_written_stops_the_start_with_status_2()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "");
        using LiveProcess process = LiveProcess.Start("--data", Path.Combine(file, "data"));
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains("threatfeeds: Data:Directory", process.Output, StringComparison.Ordinal);
        Assert.Contains("cannot be written to", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_process_on_the_same_folder_refuses_to_start_and_the_first_goes_on()
    {
        using var folder = new TemporaryFolder();
        using LiveProcess first = LiveProcess.Start("--data", folder.Path);
        Uri? address = await first.ListeningAsync();
        Assert.True(address is not null, first.Output);
        using (LiveProcess second = LiveProcess.Start("--data", folder.Path))
        {
            Assert.Equal(2, await second.ExitAsync());
            Assert.Contains("threatfeeds: Another process uses the data folder", second.Output, StringComparison.Ordinal);
        }
        using var client = new HttpClient { BaseAddress = address };
        var server = new LiveServer(client);
        Assert.Equal(1, await server.PostLogsAsync("dns", [LiveServer.DnsRecord("a.example.net", 1)]));
        await server.WhenIdleAsync(TimeSpan.FromSeconds(30));
        await first.KillAsync();
    }

    [Fact]
    public async Task A_folder_another_process_holds_is_left_as_it_is_down_to_the_database()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "logs"));
        await using (new FileStream(Path.Combine(folder.Path, "logs", "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            // As a version before holds it, whose database must not be brought to a newer one under it.
            using LiveProcess process = LiveProcess.Start("--data", folder.Path);
            Assert.Equal(2, await process.ExitAsync());
            Assert.Contains("threatfeeds: Another process uses the data folder", process.Output, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(folder.Path, "threatfeeds.db")), "the database was touched");
        }
    }

    [Fact]
    public async Task A_database_of_a_later_version_stops_the_start_with_status_2_and_is_left_as_it_is()
    {
        using var folder = new TemporaryFolder();
        await using (await AppFixture.StartAsync((TimeProvider?)null, folder.Path))
        {
        }
        await using (var connection = new SqliteConnection($"Data Source={folder.Path}/threatfeeds.db"))
        {
            await connection.OpenAsync();
            await using SqliteCommand later = connection.CreateCommand();
            later.CommandText = "INSERT INTO __EFMigrationsHistory VALUES ('20990101000000_Later', '11.0')";
            await later.ExecuteNonQueryAsync();
        }
        SqliteConnection.ClearAllPools();
        using LiveProcess process = LiveProcess.Start("--data", folder.Path);
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains("threatfeeds: The database was made by a later version (migration 20990101000000_Later", process.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public async Task A_damaged_database_stops_the_start_with_status_2_and_says_what_to_do(int from)
    {
        using var folder = new TemporaryFolder();
        using (LiveProcess first = LiveProcess.Start("--data", folder.Path))
        {
            Assert.True(await first.ListeningAsync() is not null, first.Output);
            await first.KillAsync();
        }
        string file = Path.Combine(folder.Path, "threatfeeds.db");
        // What the killed process left is brought into the file first.
        await ExecuteAsync(folder, "PRAGMA wal_checkpoint(TRUNCATE)");
        byte[] bytes = await File.ReadAllBytesAsync(file);
        bytes.AsSpan(from).Fill(0x5A);
        await File.WriteAllBytesAsync(file, bytes);
        using LiveProcess process = LiveProcess.Start("--data", folder.Path);
        Assert.Equal(2, await process.ExitAsync());
        Assert.Contains("threatfeeds: The database (threatfeeds.db in the data folder) is damaged", process.Output, StringComparison.Ordinal);
        Assert.Contains("from a backup", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lock_that_a_killed_migration_left_is_not_waited_for()
    {
        using var folder = new TemporaryFolder();
        using (LiveProcess first = LiveProcess.Start("--data", folder.Path))
        {
            Assert.True(await first.ListeningAsync() is not null, first.Output);
            await first.KillAsync();
        }
        await ExecuteAsync(folder, """INSERT INTO "__EFMigrationsLock" ("Id", "Timestamp") VALUES (1, '2026-01-01 00:00:00')""");
        using LiveProcess process = LiveProcess.Start("--data", folder.Path);
        Assert.True(await process.ListeningAsync() is not null, process.Output);
        await process.KillAsync();
    }

    [Fact]
    public async Task A_process_told_to_end_while_it_migrates_ends_in_order_and_the_next_one_starts()
    {
        using var folder = new TemporaryFolder();
        await using (SqliteConnection other = await OpenAsync(folder))
        {
            // Makes the migration wait, however fast the machine is.
            await using SqliteTransaction held = other.BeginTransaction(deferred: false);
            using LiveProcess told = LiveProcess.Start("--data", folder.Path);
            await told.SaidAsync(2);
            Assert.Contains("Data are kept in", told.Output, StringComparison.Ordinal);
            told.Terminate();
            await held.RollbackAsync();
            Assert.True(await told.ExitAsync() == 0, told.Output);
        }
        using LiveProcess process = LiveProcess.Start("--data", folder.Path);
        Assert.True(await process.ListeningAsync() is not null, process.Output);
        await process.KillAsync();
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Username=u;Password=secret", "Failed to connect to 127.0.0.1:1.")]
    [InlineData("Host=127.0.0.1;Prot=1;Password=secret", "is no connection string; write it like Host=")]
    public async Task A_database_that_cannot_be_reached_stops_the_start_with_status_2(string connection, string words)
    {
        string output = await FailAsync(connection);
        Assert.Contains("threatfeeds: ", output, StringComparison.Ordinal);
        Assert.Contains(words, output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", output, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task A_database_that_lets_nobody_in_stops_the_start_with_status_2()
    {
        string connection = new NpgsqlConnectionStringBuilder(TestDatabase.PostgresServer) { Username = "nobody_at_all" }.ConnectionString;
        Assert.Contains("threatfeeds: The database of ConnectionStrings:ThreatFeeds cannot be used: role \"nobody_at_all\" does not exist (28000).", await FailAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_foreign_host_is_misdirected()
    {
        await using AppFixture app = await AppFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/searches");
        request.Headers.Host = "rebound.example.org";
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public async Task Sixty_five_mebibytes_are_too_large_and_whoever_sends_them_hears_it(bool lengthKnown, bool asksFirst)
    {
        await using AppFixture app = await AppFixture.StartAsync();
        byte[] body = new byte[65 << 20];
        body.AsSpan().Fill((byte)'\n');
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/logs/dns") { Content = new ByteArrayContent(body) };
        // As curl does: the body is not sent when the answer comes first.
        request.Headers.ExpectContinue = asksFirst;
        request.Headers.TransferEncodingChunked = !lengthKnown;
        using HttpResponseMessage answer = await app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Contains("\"code\":\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using HttpResponseMessage alive = await app.Client.GetAsync("/livez");
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    /// <summary>What the process says that cannot start with this database.</summary>
    private static async Task<string> FailAsync(string connection)
    {
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(LiveProcess.Executable, ["--data", folder.Path, "--urls", "http://127.0.0.1:0"]);
        (start.Environment["Storage__Provider"], start.Environment["ConnectionStrings__ThreatFeeds"]) = ("Postgres", connection);
        using LiveProcess process = LiveProcess.Start(start);
        Assert.Equal(2, await process.ExitAsync());
        Assert.DoesNotContain("Unhandled exception", process.Output, StringComparison.Ordinal);
        return process.Output;
    }

    private static async Task<SqliteConnection> OpenAsync(TemporaryFolder folder)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(folder.Path, "threatfeeds.db")};Pooling=False");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(TemporaryFolder folder, string statement)
    {
        await using SqliteConnection connection = await OpenAsync(folder);
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync();
    }
}
