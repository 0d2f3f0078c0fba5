using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using ThreatFeeds.Listings;
using ThreatFeeds.Manifests;
using ThreatFeeds.Pushing;
using ThreatFeeds.Sets;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Storage;

/// <summary>The database. One derived context per provider, each with a history of migrations of its own.</summary>
public abstract class ThreatFeedsContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<ResourceRow> Resources => Set<ResourceRow>();
    public DbSet<ResourceChangeRow> ResourceChanges => Set<ResourceChangeRow>();
    public DbSet<CounterRow> Counters => Set<CounterRow>();
    public DbSet<ListingRow> Listings => Set<ListingRow>();
    public DbSet<StoredSetRow> StoredSets => Set<StoredSetRow>();
    public DbSet<SetChunkRow> SetChunks => Set<SetChunkRow>();
    public DbSet<ListingChangeRow> ListingChanges => Set<ListingChangeRow>();
    public DbSet<RunRow> Runs => Set<RunRow>();
    public DbSet<WaitingPushRow> WaitingPushes => Set<WaitingPushRow>();
    public DbSet<PushedDocumentRow> PushedDocuments => Set<PushedDocumentRow>();
    public DbSet<ProgressRow> Progress => Set<ProgressRow>();
    public DbSet<LookBackRow> LookBacks => Set<LookBackRow>();
    public DbSet<HitRow> Hits => Set<HitRow>();
    public DbSet<AlertRow> Alerts => Set<AlertRow>();
    public DbSet<GoneAlertRow> GoneAlerts => Set<GoneAlertRow>();
    public DbSet<AlertFeedRow> AlertFeeds => Set<AlertFeedRow>();
    public DbSet<AlertSampleRow> AlertSamples => Set<AlertSampleRow>();
    public DbSet<FeedHitsRow> FeedHits => Set<FeedHitsRow>();
    public DbSet<AlertOutboxRow> AlertOutbox => Set<AlertOutboxRow>();
    public DbSet<GoneSourceRow> GoneSources => Set<GoneSourceRow>();
    public DbSet<SetAsideRow> SetAside => Set<SetAsideRow>();

    /// <summary>The progress of sources that are there; that of one that is gone waits for nothing and holds nothing back.</summary>
    public IQueryable<ProgressRow> ProgressHere => Progress.Where(p => !GoneSources.Any(g => g.Source == p.Source));

    /// <summary>True on PostgreSQL, where rows must be locked; SQLite's write transactions exclude each other.</summary>
    public abstract bool LocksRows { get; }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        AddFeeds(modelBuilder);
        AddSearching(modelBuilder);
    }

    /// <summary>Members of closed sets are stored as their words, a severity as its number.</summary>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        ArgumentNullException.ThrowIfNull(configurationBuilder);
        configurationBuilder.Properties<ContentKind>().HaveConversion<WordConverter<ContentKind>>();
        configurationBuilder.Properties<LogKind>().HaveConversion<WordConverter<LogKind>>();
        configurationBuilder.Properties<HitField>().HaveConversion<WordConverter<HitField>>();
        configurationBuilder.Properties<FlowAction>().HaveConversion<FlowActionConverter>();
        configurationBuilder.Properties<Direction>().HaveConversion<WordConverter<Direction>>();
        configurationBuilder.Properties<AlertState>().HaveConversion<WordConverter<AlertState>>();
        configurationBuilder.Properties<AlertNews>().HaveConversion<WordConverter<AlertNews>>();
        configurationBuilder.Properties<RunTrigger>().HaveConversion<WordConverter<RunTrigger>>();
        configurationBuilder.Properties<RunOutcome>().HaveConversion<WordConverter<RunOutcome>>();
        configurationBuilder.Properties<ListingReason>().HaveConversion<WordConverter<ListingReason>>();
    }

    private static void AddFeeds(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ResourceRow>(e => { e.ToTable("resources"); e.HasKey(r => new { r.Kind, r.Namespace, r.Name }); });
        modelBuilder.Entity<ResourceChangeRow>(e => { e.ToTable("resource_changes"); e.HasKey(r => r.ResourceVersion); e.Property(r => r.ResourceVersion).ValueGeneratedNever(); });
        modelBuilder.Entity<CounterRow>(e => { e.ToTable("counters"); e.HasKey(r => r.Name); });
        modelBuilder.Entity<ListingRow>(e => { e.ToTable("listings"); e.HasIndex(r => r.Feed).IsUnique(); });
        modelBuilder.Entity<StoredSetRow>(e => e.ToTable("stored_sets"));
        modelBuilder.Entity<SetChunkRow>(e => { e.ToTable("set_chunks"); e.HasKey(r => new { r.SetId, r.Ordinal }); });
        modelBuilder.Entity<ListingChangeRow>(e => { e.ToTable("listing_changes"); e.HasKey(r => r.Generation); e.Property(r => r.Generation).ValueGeneratedNever(); });
        modelBuilder.Entity<RunRow>(e => { e.ToTable("runs"); e.HasIndex(r => new { r.Feed, r.Id }); e.HasIndex(r => r.FinishedAt); });
        modelBuilder.Entity<WaitingPushRow>(e => { e.ToTable("waiting_pushes"); e.HasKey(r => new { r.Feed, r.Content }); });
        modelBuilder.Entity<PushedDocumentRow>(e =>
        {
            e.ToTable("pushed_documents");
            e.HasKey(r => r.FeedUid);
            e.HasOne<ListingRow>().WithOne().HasForeignKey<PushedDocumentRow>(r => r.FeedUid).HasPrincipalKey<ListingRow>(r => r.FeedUid).OnDelete(DeleteBehavior.Cascade);
        });
    }

    private static void AddSearching(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ProgressRow>(e => { e.ToTable("progress"); e.HasKey(r => r.Source); });
        modelBuilder.Entity<LookBackRow>(e => { e.ToTable("look_backs"); e.HasKey(r => new { r.Generation, r.Source }); });
        modelBuilder.Entity<HitRow>(e =>
        {
            e.ToTable("hits");
            e.HasKey(r => r.Id);
            e.HasIndex(r => new { r.AlertId, r.Time, r.Id });
            e.HasIndex(r => r.Value);
        });
        modelBuilder.Entity<AlertSampleRow>(e => { e.ToTable("alert_samples"); e.HasKey(r => new { r.AlertId, r.HitId }); });
        modelBuilder.Entity<AlertRow>(e =>
        {
            e.ToTable("alerts");
            e.HasIndex(r => new { r.Cluster, r.Kind, r.Indicator, r.Namespace, r.Workload, r.Direction, r.Action, r.Start }).IsUnique();
            e.HasIndex(r => new { r.LastSeen, r.Id });
            e.HasIndex(r => new { r.State, r.LastSeen, r.Id });
            e.HasIndex(r => new { r.Severity, r.LastSeen, r.Id });
            e.HasIndex(r => new { r.Namespace, r.LastSeen, r.Id });
            e.HasIndex(r => new { r.Indicator, r.LastSeen, r.Id });
            e.HasIndex(r => new { r.Workload, r.LastSeen, r.Id });
            e.HasIndex(r => new { r.Kind, r.LastSeen, r.Id });
            e.HasIndex(r => new { r.FirstSeen, r.Id });
            e.HasIndex(r => new { r.Count, r.Id });
            e.HasIndex(r => r.Severity, AlertRow.OpenIndex).HasFilter("\"State\" = 'open'");
            e.HasIndex(r => new { r.LastSeen, r.Id }, AlertRow.LongIndex).HasFilter($"\"LastSeen\" - \"FirstSeen\" > {AlertRow.Long}");
        });
        modelBuilder.Entity<GoneAlertRow>(e => { e.ToTable("gone_alerts"); e.HasKey(r => r.AlertId); e.Property(r => r.AlertId).ValueGeneratedNever(); });
        modelBuilder.Entity<AlertFeedRow>(e => { e.ToTable("alert_feeds"); e.HasKey(r => new { r.Feed, r.AlertId }); e.HasIndex(r => r.AlertId); });
        modelBuilder.Entity<FeedHitsRow>(e => { e.ToTable("feed_hits"); e.HasKey(r => new { r.FeedUid, r.Hour }); });
        modelBuilder.Entity<AlertOutboxRow>(e => { e.ToTable("alert_outbox"); e.HasIndex(r => r.At); });
        modelBuilder.Entity<GoneSourceRow>(e => { e.ToTable("gone_sources"); e.HasKey(r => r.Source); });
        modelBuilder.Entity<SetAsideRow>(e => { e.ToTable("set_aside"); e.HasKey(r => new { r.Source, r.Segment, r.Ordinal }); });
    }
}

/// <summary>The default: one file in the data folder.</summary>
public sealed class SqliteContext(DbContextOptions<SqliteContext> options) : ThreatFeedsContext(options)
{
    public override bool LocksRows => false;
}

/// <summary>At scale.</summary>
public sealed class PostgresContext(DbContextOptions<PostgresContext> options) : ThreatFeedsContext(options)
{
    public override bool LocksRows => true;
}

/// <summary>Stores a member of a closed set as its word.</summary>
internal sealed class WordConverter<T>() : ValueConverter<T, string>(value => Word.Of(value), word => Word.Parse<T>(word))
    where T : struct, Enum;

/// <summary>None is empty. Older versions stored whatever a record said, which counts as none.</summary>
internal sealed class FlowActionConverter() : ValueConverter<FlowAction, string>(
    action => action == FlowAction.None ? "" : Word.Of(action), word => word == "allow" ? FlowAction.Allow : word == "deny" ? FlowAction.Deny : FlowAction.None);
