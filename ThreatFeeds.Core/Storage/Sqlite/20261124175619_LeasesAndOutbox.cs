using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ThreatFeeds.Storage.Sqlite
{
    /// <inheritdoc />
    public partial class LeasesAndOutbox : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Counts of hits and pushed documents belong to the feed that has the name now; what no feed has any more goes.
            migrationBuilder.Sql("""
                CREATE TABLE feed_hits_before AS SELECT l."FeedUid", h."Hour", h."Count", h."LastTime" FROM feed_hits h JOIN listings l ON l."Feed" = h."Feed";
                CREATE TABLE pushed_documents_before AS SELECT l."FeedUid", d."Feed", d."Content", d."Document", d."Version", d."UpdatedAt" FROM pushed_documents d JOIN listings l ON l."Feed" = d."Feed";
                DELETE FROM feed_hits;
                """);

            // Made anew by hand, and the unique key as an index: what SQLite cannot alter the tool would rebuild over several transactions, and a process
            // killed between two of them could not start again.
            migrationBuilder.DropTable(
                name: "pushed_documents");

            migrationBuilder.RenameColumn(
                name: "Feed",
                table: "feed_hits",
                newName: "FeedUid");

            migrationBuilder.AddColumn<int>(
                name: "Format",
                table: "stored_sets",
                type: "INTEGER",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.AddColumn<string>(
                name: "Actor",
                table: "runs",
                type: "TEXT",
                nullable: false,
                defaultValue: "system");

            migrationBuilder.AddColumn<string>(
                name: "LeaseOwner",
                table: "runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<DateTime>(
                name: "LeaseUntil",
                table: "runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<DateTime>(
                name: "SeenAt",
                table: "progress",
                type: "TEXT",
                nullable: false,
                defaultValue: new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified));

            migrationBuilder.AddColumn<string>(
                name: "RecordId",
                table: "hits",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "AK_listings_FeedUid",
                table: "listings",
                column: "FeedUid",
                unique: true);

            migrationBuilder.CreateTable(
                name: "pushed_documents",
                columns: table => new
                {
                    FeedUid = table.Column<Guid>(type: "TEXT", nullable: false),
                    Feed = table.Column<string>(type: "TEXT", nullable: false),
                    Content = table.Column<string>(type: "TEXT", nullable: false),
                    Document = table.Column<string>(type: "TEXT", nullable: false),
                    Version = table.Column<long>(type: "INTEGER", nullable: false),
                    UpdatedAt = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_pushed_documents", x => x.FeedUid);
                    table.ForeignKey(
                        name: "FK_pushed_documents_listings_FeedUid",
                        column: x => x.FeedUid,
                        principalTable: "listings",
                        principalColumn: "FeedUid",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "alert_outbox",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    AlertId = table.Column<long>(type: "INTEGER", nullable: false),
                    News = table.Column<string>(type: "TEXT", nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alert_outbox", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "gone_sources",
                columns: table => new
                {
                    Source = table.Column<string>(type: "TEXT", nullable: false),
                    Kind = table.Column<string>(type: "TEXT", nullable: false),
                    GoneAt = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_gone_sources", x => x.Source);
                });

            migrationBuilder.CreateTable(
                name: "set_aside",
                columns: table => new
                {
                    Source = table.Column<string>(type: "TEXT", nullable: false),
                    Segment = table.Column<long>(type: "INTEGER", nullable: false),
                    Ordinal = table.Column<long>(type: "INTEGER", nullable: false),
                    Reason = table.Column<string>(type: "TEXT", nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_set_aside", x => new { x.Source, x.Segment, x.Ordinal });
                });

            migrationBuilder.CreateIndex(
                name: "IX_alert_outbox_At",
                table: "alert_outbox",
                column: "At");

            migrationBuilder.Sql("""
                INSERT INTO feed_hits ("FeedUid", "Hour", "Count", "LastTime") SELECT "FeedUid", "Hour", "Count", "LastTime" FROM feed_hits_before;
                INSERT INTO pushed_documents ("FeedUid", "Feed", "Content", "Document", "Version", "UpdatedAt") SELECT "FeedUid", "Feed", "Content", "Document", "Version", "UpdatedAt" FROM pushed_documents_before;
                DROP TABLE feed_hits_before;
                DROP TABLE pushed_documents_before;
                UPDATE progress SET "SeenAt" = CURRENT_TIMESTAMP;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => throw new NotSupportedException("Data are brought forward only.");
    }
}
