//! Threads that hash and compress. What they are given is bounded by whoever gives it, so there is no more in
//! memory than is under way.

use super::ArtifactFault;
use super::gate::Gate;
use crate::crypto::groups;
use crate::model::{Code, ContentDigest, ObjectFormat, Oid, limits};
use crate::store::Kind;
use crate::store::git::checked_id;
use crate::store::pack::{Effort, Zip};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Threads at most: more would need more memory than a writer may take.
const THREADS: usize = 8;

/// The threads of one writer.
pub(super) struct Crew {
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

enum Job {
    Block(Vec<u8>, SyncSender<Result<Packed, ArtifactFault>>),
    Load(Vec<PathBuf>, SyncSender<Vec<Result<Loaded, ArtifactFault>>>),
}

/// A block ready to be written.
pub(super) struct Packed {
    pub(super) id: Oid,
    /// Its zlib stream; `None` if the block is there already.
    pub(super) stream: Option<Vec<u8>>,
}

/// A file that was looked at.
pub(super) enum Loaded {
    /// All of a small one, and its key.
    Small(Vec<u8>, ContentDigest),
    /// To be read in pieces.
    Large,
}

/// What comes of a job, later.
pub(super) struct Reply<T>(Receiver<T>);

impl<T> Reply<T> {
    pub(super) fn wait(self) -> Result<T, ArtifactFault> {
        self.0.recv().map_err(|_| lost())
    }
}

fn lost() -> ArtifactFault {
    ArtifactFault::new(Code::Io, "a thread that hashes and compresses has ended")
}

impl Crew {
    /// So many threads, or one for each core.
    pub(super) fn new(threads: usize, format: ObjectFormat, gate: &Arc<Gate>) -> Self {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let count = match threads {
            0 => crate::cores::threads(),
            count => count,
        };
        let threads = (0..count.clamp(1, THREADS)).map(|_| {
            let (queue, gate) = (Arc::clone(&queue), Arc::clone(gate));
            std::thread::spawn(move || work(&queue, format, &gate))
        });
        Self {
            jobs: Some(jobs),
            threads: threads.collect(),
        }
    }

    /// How many they are.
    pub(super) fn size(&self) -> usize {
        self.threads.len()
    }

    pub(super) fn block(
        &self,
        bytes: Vec<u8>,
    ) -> Result<Reply<Result<Packed, ArtifactFault>>, ArtifactFault> {
        self.give(|reply| Job::Block(bytes, reply))
    }

    pub(super) fn load(
        &self,
        paths: Vec<PathBuf>,
    ) -> Result<Reply<Vec<Result<Loaded, ArtifactFault>>>, ArtifactFault> {
        self.give(|reply| Job::Load(paths, reply))
    }

    fn give<T>(&self, job: impl FnOnce(SyncSender<T>) -> Job) -> Result<Reply<T>, ArtifactFault> {
        let (reply, result) = sync_channel(1);
        let jobs = self.jobs.as_ref().ok_or_else(lost)?;
        jobs.send(job(reply)).map_err(|_| lost())?;
        Ok(Reply(result))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.jobs.take();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>, format: ObjectFormat, gate: &Gate) {
    let mut zip = Zip::new();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        // Nobody waits for an answer any more where the writer has failed.
        match job {
            Ok(Job::Block(bytes, reply)) => {
                drop(reply.send(pack(&bytes, format, gate, &mut zip)));
            }
            Ok(Job::Load(paths, reply)) => drop(reply.send(paths.iter().map(load).collect())),
            Err(_) => return,
        }
    }
}

fn pack(
    bytes: &[u8],
    format: ObjectFormat,
    gate: &Gate,
    zip: &mut Zip,
) -> Result<Packed, ArtifactFault> {
    let id = checked_id(format, Kind::Blob, bytes)?;
    let stream = match gate.holds(&id)? {
        true => None,
        false => Some(zip.pack(bytes, Effort::Quick).to_vec()),
    };
    Ok(Packed { id, stream })
}

fn load(path: &PathBuf) -> Result<Loaded, ArtifactFault> {
    let read = File::open(path).and_then(|file| {
        let size = file.metadata()?.len();
        let mut bytes = Vec::new();
        if size <= limits::SMALL_ARTIFACT {
            // One byte more than a small one has: it may grow while it is read.
            bytes.reserve_exact(size as usize + 1);
            file.take(limits::SMALL_ARTIFACT + 1)
                .read_to_end(&mut bytes)?;
        }
        Ok((size, bytes))
    });
    match read {
        Err(err) => Err(ArtifactFault::from_io(
            &format!("read `{}`", path.display()),
            err,
        )),
        Ok((size, bytes)) if size.max(bytes.len() as u64) <= limits::SMALL_ARTIFACT => {
            let key = groups::digest(&bytes);
            Ok(Loaded::Small(bytes, key))
        }
        Ok(_) => Ok(Loaded::Large),
    }
}
