# Uses the modules of Perl's IPC::SysV the way that their documentation and tests do.
use strict;
use warnings;
use IPC::SysV qw(:all);
use IPC::Msg;
use IPC::Semaphore;
use IPC::SharedMem;

my $key = ftok($0, 7) // die "ftok: $!";

sub queue {
	my ($by) = @_;
	my $queue = IPC::Msg->new($by, IPC_CREAT | IPC_EXCL | S_IRUSR | S_IWUSR) or die "msgget: $!";
	my $settings = $queue->stat or die "stat: $!";
	$queue->set(mode => 0400 | 0200) or die "set: $!";
	$queue->snd($_, "message $_") or die "msgsnd: $!" for 1 .. 5;
	my $text;
	$queue->rcv($text, 256, 3, IPC_NOWAIT) == 3 or die "msgrcv: $!";
	$queue->rcv($text, 256, 0, IPC_NOWAIT) or die "msgrcv: $!" for 1 .. 4;
	defined $queue->rcv($text, 256, 0, IPC_NOWAIT) and die "a message too many";
	$queue->remove or die "remove: $!";
}
queue($_) for IPC_PRIVATE, $key;

sub set {
	my ($by) = @_;
	my $set = IPC::Semaphore->new($by, 10, IPC_CREAT | IPC_EXCL | S_IRWXU) or die "semget: $!";
	my $settings = $set->stat or die "stat: $!";
	$set->setall((0) x 10) or die "setall: $!";
	($set->getall)[9] == 0 or die "getall";
	$set->setval(2, 1) or die "setval: $!";
	$set->op(2, -1, IPC_NOWAIT, 3, 1, SEM_UNDO) or die "semop: $!";
	$set->op(2, -1, IPC_NOWAIT) and die "a semaphore that is free and must not be";
	$set->getncnt(0) == 0 && $set->getzcnt(0) == 0 or die "somebody waits";
	$set->remove or die "remove: $!";
}
set($_) for IPC_PRIVATE, $key;

sub segment {
	my ($by) = @_;
	my $segment = IPC::SharedMem->new($by, 8192, IPC_CREAT | IPC_EXCL | S_IRWXU) or die "shmget: $!";
	$segment->attach or die "shmat: $!";
	my $child = fork // die "fork: $!";
	if (!$child) {
		my $same = $by == IPC_PRIVATE ? $segment : IPC::SharedMem->new($by, 8192, 0600) or die "shmget: $!";
		$same == $segment or $same->attach or die "shmat: $!";
		$same->write("hello", 0, 5) or die "write: $!";
		exit 0;
	}
	waitpid $child, 0;
	$? == 0 && $segment->read(0, 5) eq "hello" or die "the child's text is not there";
	$segment->stat->nattch == 1 or die "not the number of attachments";
	$segment->detach or die "shmdt: $!";
	$segment->remove or die "remove: $!";
}
segment($_) for IPC_PRIVATE, $key;

# What has no module.
my $id = shmget(IPC_PRIVATE, 4096, 0600) // die "shmget: $!";
shmwrite($id, "text", 0, 4) or die "shmwrite: $!";
my $read;
shmread($id, $read, 0, 4) && $read eq "text" or die "shmread: $!";
shmctl($id, IPC_RMID, 0) or die "shmctl: $!";
